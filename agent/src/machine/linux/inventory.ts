import { type HostFiles, type Inventory, type SystemFacts, UNKNOWN } from "../inventory.ts";
import { type LinuxFiles, linuxSystem, titled } from "./linuxSystem.ts";
import { virtualizationOf } from "./virtualization.ts";

/** What Linux tells of a host. */
export const LINUX_INVENTORY: Inventory = {
  kernel: "linux",
  read: async (files) => {
    const [names, virtualization, processor] = await Promise.all([
      readNames(files),
      readVirtualization(files),
      files.read("/proc/cpuinfo"),
    ]);
    return { ...names, ...virtualization, ...describeProcessor(processor) };
  },
};

type Names = Pick<SystemFacts, "OSFullName" | "OSVersion" | "OSFamily" | "unameEnd">;

async function readNames({ read, exists }: HostFiles): Promise<Names> {
  const files: LinuxFiles = {
    osRelease: await read("/etc/os-release"),
    debianVersion: await read("/etc/debian_version"),
    isRaspbian: await exists("/usr/bin/raspi-config"),
    oracleRelease: await read("/etc/oracle-release"),
    redhatRelease: await read("/etc/redhat-release"),
    systemRelease: await read("/etc/system-release"),
    alpineRelease: await read("/etc/alpine-release"),
  };
  const { platform, version, family } = linuxSystem(files);
  return {
    OSFullName: `${titled(platform) || "Linux"} ${version}`.trim(),
    OSVersion: version || UNKNOWN,
    OSFamily: family || UNKNOWN,
    // But where the C library is not GNU's.
    unameEnd: [files.alpineRelease === "" ? "GNU/Linux" : "Linux"],
  };
}

async function readVirtualization({ read, exists }: HostFiles) {
  const maker = await read("/sys/class/dmi/id/sys_vendor");
  const product = await read("/sys/class/dmi/id/product_name");
  return virtualizationOf({
    pciDevices: await read("/proc/bus/pci/devices"),
    hasVmBus: (await exists("/dev/vmbus/hv_vss")) || (await exists("/dev/vmbus/hv_kvp")),
    board: `${maker} ${product}`,
  });
}

function describeProcessor(cpuinfo: string) {
  const field = (key: string) =>
    new RegExp(`^${key}\\s*: (.+)$`, "m").exec(cpuinfo)?.[1]?.trim() ?? UNKNOWN;
  return {
    CPUFamily: field("cpu family"),
    CPUModel: field("model"),
    CPUVendor: field("vendor_id"),
  };
}
