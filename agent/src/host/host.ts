import { readFile } from "node:fs/promises";
import os from "node:os";

/** Facts about this host, in the words of RPort's connection request. */
export interface HostFacts {
  readonly OS: string;
  readonly OSFullName: string;
  readonly OSVersion: string;
  readonly OSVirtualizationSystem: string;
  readonly OSVirtualizationRole: string;
  readonly OSArch: string;
  readonly OSFamily: string;
  readonly OSKernel: string;
  readonly Hostname: string;
  readonly CPUFamily: string;
  readonly CPUModel: string;
  readonly CPUModelName: string;
  readonly CPUVendor: string;
  readonly NumCPUs: number;
  readonly MemoryTotal: number;
  readonly Timezone: string;
  readonly IPv4: readonly string[];
  readonly IPv6: readonly string[];
}

/** Small files that tell about the host; a missing one is empty. */
interface HostFiles {
  readonly osRelease: string;
  readonly cpuinfo: string;
  readonly product: string;
  readonly vendor: string;
  readonly macVersion: string;
}

/** All files together get this long: a hanging mount must not keep us from connecting. */
const FILES_MS = 5_000;
const UNKNOWN = "unknown";

/** Go's names of architectures and systems, which RPort's servers and scripts expect. */
const GO_ARCH: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", loong64: "loong64" };
const GO_SYSTEM: Readonly<Record<string, string>> = { win32: "windows" };

/** Words in the maker's or product's name that give a hypervisor away. */
const HYPERVISORS: readonly (readonly [RegExp, string])[] = [
  [/kvm|qemu|openstack|amazon ec2|google/i, "KVM"],
  [/vmware/i, "VMWARE"],
  [/virtualbox|innotek/i, "VBOX"],
  [/microsoft.*virtual|virtual machine/i, "HYPERV"],
  [/xen/i, "XEN"],
];

/** Collects the facts. Never rejects: what cannot be found is `unknown`. */
export async function readHost(): Promise<HostFacts> {
  const files = await readFiles();
  const name = describeSystem(files);
  const addresses = Object.values(os.networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal);
  const addressesOf = (family: string) =>
    addresses.filter((entry) => entry.family === family).map(({ address }) => address);
  return {
    ...name,
    ...describeVirtualization(files),
    ...describeProcessor(files.cpuinfo),
    OS: [os.type(), os.hostname(), os.release(), os.version(), os.machine()].join(" "),
    OSArch: GO_ARCH[process.arch] ?? process.arch,
    OSKernel: GO_SYSTEM[process.platform] ?? process.platform,
    Hostname: os.hostname() || UNKNOWN,
    MemoryTotal: os.totalmem(),
    Timezone: describeTimezone(new Date()),
    IPv4: addressesOf("IPv4"),
    IPv6: addressesOf("IPv6"),
  };
}

async function readFiles(): Promise<HostFiles> {
  const signal = AbortSignal.timeout(FILES_MS);
  const read = async (path: string) => {
    const reading = readFile(path, { encoding: "utf8", signal }).catch(() => "");
    return await Promise.race([reading, aborted(signal)]);
  };
  const [osRelease, cpuinfo, product, vendor, macVersion] = await Promise.all([
    read("/etc/os-release"),
    read("/proc/cpuinfo"),
    read("/sys/class/dmi/id/product_name"),
    read("/sys/class/dmi/id/sys_vendor"),
    read("/System/Library/CoreServices/SystemVersion.plist"),
  ]);
  return { osRelease, cpuinfo, product, vendor, macVersion };
}

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(""), { once: true });
  });
}

/** The system's full name, version and family. Exported for its tests. */
function describeSystem(
  files: Pick<HostFiles, "osRelease" | "macVersion">,
): Pick<HostFacts, "OSFullName" | "OSVersion" | "OSFamily"> {
  const field = (key: string) =>
    new RegExp(`^${key}=["']?([^"'\\n]*)["']?$`, "m").exec(files.osRelease)?.[1] ?? "";
  if (process.platform === "linux") {
    const version = field("VERSION_ID");
    const family = (field("ID_LIKE") || field("ID")).split(" ")[0];
    const name = field("NAME").replace(/ GNU\/Linux$/, "");
    return {
      OSFullName: [name || "Linux", version].join(" ").trim(),
      OSVersion: version || UNKNOWN,
      OSFamily: family || UNKNOWN,
    };
  }
  const macVersion = /ProductVersion<\/key>\s*<string>([^<]+)/.exec(files.macVersion)?.[1];
  if (macVersion !== undefined) {
    return { OSFullName: `macOS ${macVersion}`, OSVersion: macVersion, OSFamily: "darwin" };
  }
  return { OSFullName: os.version(), OSVersion: os.release(), OSFamily: process.platform };
}

function describeVirtualization(
  files: HostFiles,
): Pick<HostFacts, "OSVirtualizationSystem" | "OSVirtualizationRole"> {
  const name = `${files.vendor} ${files.product}`;
  const system = HYPERVISORS.find(([pattern]) => pattern.test(name))?.[1];
  const isGuest = system !== undefined || /^flags\s*:.*\bhypervisor\b/m.test(files.cpuinfo);
  const role = isGuest ? "guest" : "";
  return {
    OSVirtualizationSystem: system ?? (isGuest ? "UNKNOWN" : ""),
    OSVirtualizationRole: role,
  };
}

function describeProcessor(
  cpuinfo: string,
): Pick<HostFacts, "CPUFamily" | "CPUModel" | "CPUModelName" | "CPUVendor" | "NumCPUs"> {
  const cpus = os.cpus();
  const field = (key: string) =>
    new RegExp(`^${key}\\s*: (.+)$`, "m").exec(cpuinfo)?.[1]?.trim() ?? UNKNOWN;
  return {
    CPUFamily: field("cpu family"),
    CPUModel: field("model"),
    CPUModelName: cpus[0]?.model.trim() || UNKNOWN,
    CPUVendor: field("vendor_id"),
    NumCPUs: Math.max(cpus.length, 1),
  };
}

/** Abbreviation and offset, such as `CET (UTC+01:00)`. Exported for its tests. */
export function describeTimezone(date: Date): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(date);
  const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? "UTC";
  const minutes = -date.getTimezoneOffset();
  const two = (value: number) => String(Math.trunc(value)).padStart(2, "0");
  const offset = Math.abs(minutes);
  return `${name} (UTC${minutes < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)})`;
}
