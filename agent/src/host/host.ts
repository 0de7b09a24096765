import os from "node:os";
import { hostFiles, type Inventory, UNKNOWN } from "../machine/inventory.ts";

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

/** All files together get this long: a hanging mount must not keep us from connecting. */
const FILES_MS = 5_000;

/** Go's names of architectures, which RPort's servers and scripts expect. */
const GO_ARCH: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", loong64: "loong64" };

/** Collects the facts. Never rejects: what cannot be found is `unknown`. */
export async function readHost(inventory: Inventory): Promise<HostFacts> {
  const { unameEnd, ...system } = await inventory.read(hostFiles(FILES_MS));
  const cpus = os.cpus();
  const addresses = Object.values(os.networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal);
  const addressesOf = (family: string) =>
    addresses.filter((entry) => entry.family === family).map(({ address }) => address);
  return {
    ...system,
    CPUModelName: cpus[0]?.model.trim() || UNKNOWN,
    NumCPUs: Math.max(cpus.length, 1),
    OS: [os.type(), os.hostname(), os.release(), os.version(), os.machine(), ...unameEnd].join(" "),
    OSArch: GO_ARCH[process.arch] ?? process.arch,
    OSKernel: inventory.kernel,
    Hostname: os.hostname() || UNKNOWN,
    MemoryTotal: os.totalmem(),
    Timezone: describeTimezone(new Date()),
    IPv4: addressesOf("IPv4"),
    IPv6: addressesOf("IPv6"),
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
