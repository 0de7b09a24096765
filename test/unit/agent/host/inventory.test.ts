import { describe, expect, it } from "vitest";
import { readHost } from "../../../../agent/src/host/host.ts";
import { LINUX_INVENTORY } from "../../../../agent/src/machine/linux/inventory.ts";
import {
  type LinuxFiles,
  linuxSystem,
  titled,
} from "../../../../agent/src/machine/linux/linuxSystem.ts";
import { virtualizationOf } from "../../../../agent/src/machine/linux/virtualization.ts";

const NONE: LinuxFiles = {
  osRelease: "",
  debianVersion: "",
  isRaspbian: false,
  oracleRelease: "",
  redhatRelease: "",
  systemRelease: "",
  alpineRelease: "",
};
const release = (fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([key, value]) => `${key}="${value}"\n`)
    .join("");
const debian = { osRelease: release({ ID: "debian", VERSION_ID: "12" }), debianVersion: "12.11\n" };

describe("a Linux system, in the words of RPort's client", () => {
  it.each<[string, string, Partial<LinuxFiles>]>([
    ["Debian 12.11", "debian", debian],
    ["Raspbian 12.11", "debian", { ...debian, isRaspbian: true }],
    [
      "Ubuntu 22.04",
      "debian",
      {
        osRelease: release({ ID: "ubuntu", VERSION_ID: "22.04", ID_LIKE: "debian" }),
        debianVersion: "bookworm/sid\n",
      },
    ],
    [
      "Redhat 9.4",
      "rhel",
      {
        osRelease: release({ ID: "rhel", VERSION_ID: "9.4", ID_LIKE: "fedora" }),
        redhatRelease: "Red Hat Enterprise Linux release 9.4 (Plow)\n",
      },
    ],
    [
      "Centos 7.9.2009",
      "rhel",
      {
        osRelease: release({ ID: "centos", VERSION_ID: "7", ID_LIKE: "rhel fedora" }),
        redhatRelease: "CentOS Linux release 7.9.2009 (Core)\n",
      },
    ],
    ["Amazon 2", "rhel", { systemRelease: "Amazon Linux release 2 (Karoo)\n" }],
    ["Fedora 39", "fedora", { redhatRelease: "Fedora release 39 (Thirty Nine)\n" }],
    [
      "Oracle 9.3",
      "rhel",
      {
        oracleRelease: "Oracle Linux Server release 9.3\n",
        redhatRelease: "Red Hat Enterprise Linux release 9.3 (Plow)\n",
      },
    ],
    ["Alpine 3.19.1", "alpine", { alpineRelease: "3.19.1\n" }],
    [
      "Opensuse-Leap 15.5",
      "suse",
      {
        osRelease: release({ ID: "opensuse-leap", VERSION_ID: "15.5", ID_LIKE: "suse opensuse" }),
      },
    ],
    ["Arch ", "arch", { osRelease: "ID=arch\n" }],
  ])("is %s", (fullName, family, files) => {
    const system = linuxSystem({ ...NONE, ...files });
    expect(`${titled(system.platform)} ${system.version}`).toBe(fullName);
    expect(system.family).toBe(family);
  });

  it("ends, as uname does, with the operating system's name", async () => {
    if (process.platform !== "linux") return;
    expect((await readHost(LINUX_INVENTORY)).OS).toMatch(/ \S+ (GNU\/)?Linux$/);
  });
});

describe("a virtual machine, in the words of RPort's client", () => {
  const line = (driver: string) => `0008\t1af41045\t0\t 80000\t0\t${driver}\n`;

  it.each([
    ["KVM", "guest", { pciDevices: line("virtio-pci") }],
    ["VMWARE", "guest", { pciDevices: line("vmwgfx") }],
    ["XEN", "guest", { pciDevices: line("xen-platform-pci") }],
    ["HYPERV", "guest", { pciDevices: line("hyperv_fb") }],
    ["HYPERV", "guest", { hasVmBus: true }],
    ["VBOX", "guest", { pciDevices: line("e1000"), board: "innotek GmbH VirtualBox" }],
    ["KVM", "guest", { board: "Amazon EC2 t3.micro" }],
    ["UNKNOWN", "unknown", { pciDevices: line("e1000"), board: "Dell Inc. OptiPlex" }],
    ["", "", {}],
  ])("is %j, %j", (system, role, files) => {
    const found = virtualizationOf({ pciDevices: "", hasVmBus: false, board: "", ...files });
    expect(found).toEqual({ OSVirtualizationSystem: system, OSVirtualizationRole: role });
  });
});
