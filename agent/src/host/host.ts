import { access, readFile } from "node:fs/promises";
import os from "node:os";
import { type LinuxFiles, linuxSystem, titled } from "./linuxSystem.ts";
import { type VirtualizationFiles, virtualizationOf } from "./virtualization.ts";

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
interface HostFiles extends LinuxFiles, VirtualizationFiles {
  readonly cpuinfo: string;
  readonly macVersion: string;
}

/** All files together get this long: a hanging mount must not keep us from connecting. */
const FILES_MS = 5_000;
const UNKNOWN = "unknown";

/** Go's names of architectures and systems, which RPort's servers and scripts expect. */
const GO_ARCH: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", loong64: "loong64" };
const GO_SYSTEM: Readonly<Record<string, string>> = { win32: "windows" };

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
    ...virtualizationOf(files),
    ...describeProcessor(files.cpuinfo),
    OS: [
      os.type(),
      os.hostname(),
      os.release(),
      os.version(),
      os.machine(),
      ...unameEnd(files),
    ].join(" "),
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
  const exists = async (path: string) => {
    const looking = access(path).then(
      () => true,
      () => false,
    );
    return await Promise.race([looking, aborted(signal).then(() => false)]);
  };
  const maker = await Promise.all([
    read("/sys/class/dmi/id/sys_vendor"),
    read("/sys/class/dmi/id/product_name"),
  ]);
  const vmBus = await Promise.all([exists("/dev/vmbus/hv_vss"), exists("/dev/vmbus/hv_kvp")]);
  return {
    osRelease: await read("/etc/os-release"),
    debianVersion: await read("/etc/debian_version"),
    isRaspbian: await exists("/usr/bin/raspi-config"),
    oracleRelease: await read("/etc/oracle-release"),
    redhatRelease: await read("/etc/redhat-release"),
    systemRelease: await read("/etc/system-release"),
    alpineRelease: await read("/etc/alpine-release"),
    cpuinfo: await read("/proc/cpuinfo"),
    pciDevices: await read("/proc/bus/pci/devices"),
    hasVmBus: vmBus.includes(true),
    board: maker.join(" "),
    macVersion: await read("/System/Library/CoreServices/SystemVersion.plist"),
  };
}

/** `uname -a` ends so, but where the C library is not GNU's. */
function unameEnd({ alpineRelease }: Pick<HostFiles, "alpineRelease">): string[] {
  if (process.platform !== "linux") return [];
  return [alpineRelease === "" ? "GNU/Linux" : "Linux"];
}

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(""), { once: true });
  });
}

/** The system's full name, version and family. */
function describeSystem(
  files: HostFiles,
): Pick<HostFacts, "OSFullName" | "OSVersion" | "OSFamily"> {
  if (process.platform === "linux") {
    const { platform, version, family } = linuxSystem(files);
    return {
      OSFullName: `${titled(platform) || "Linux"} ${version}`.trim(),
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
