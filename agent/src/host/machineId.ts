import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";

/** Time a program of the system gets to tell the id. */
const PROGRAM_MS = 5_000;
const MAX_OUTPUT_BYTES = 64 << 10;
/** Machine ids have 32 to 36 characters. */
const MACHINE_ID = /^[0-9A-Za-z][0-9A-Za-z-]{6,63}$/;
/** What images contain before their first start, and boards whose maker did not set a UUID. */
const PLACEHOLDERS = [/^uninitialized$/i, /^0[0-]*$/, /^f[f-]*$/i];

/** The doors to the system; tests give their own. */
export interface MachineIdSources {
  readonly platform: NodeJS.Platform;
  /** Rejects when there is no such file. */
  readFile(path: string): Promise<string>;
  /** Standard output; rejects when the program fails. */
  run(program: string, args: readonly string[]): Promise<string>;
}

/** This machine. */
export const SYSTEM_SOURCES: MachineIdSources = {
  platform: process.platform,
  readFile: (path) => readFile(path, "utf8"),
  run: (program, args) =>
    new Promise((resolve, reject) => {
      const options = { timeout: PROGRAM_MS, maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true };
      execFile(program, [...args], options, (error, stdout) =>
        error === null ? resolve(stdout) : reject(error),
      );
    }),
};

/**
 * The operating system's id of this machine, from the places RPort reads, so that a host keeps its
 * id when it changes clients. Undefined when there is none.
 */
export async function machineId(sources: MachineIdSources): Promise<string | undefined> {
  for (const read of readers(sources)) {
    const id = (await read().catch(() => "")).trim();
    const isPlaceholder = PLACEHOLDERS.some((pattern) => pattern.test(id));
    if (MACHINE_ID.test(id) && !isPlaceholder) return id;
  }
  return undefined;
}

type Reader = () => Promise<string>;

function readers({ platform, readFile, run }: MachineIdSources): readonly Reader[] {
  const file = (path: string) => () => readFile(path);
  switch (platform) {
    case "linux":
      return [file("/var/lib/dbus/machine-id"), file("/etc/machine-id")];
    case "darwin":
      return [async () => afterLabel(await run("ioreg", IOREG), /"IOPlatformUUID" = "([^"]+)"/)];
    case "win32":
      return [async () => afterLabel(await run("reg.exe", REG), /MachineGuid\s+REG_SZ\s+(\S+)/)];
    default:
      return [file("/etc/hostid"), () => run("kenv", ["-q", "smbios.system.uuid"])];
  }
}

const IOREG = ["-rd1", "-c", "IOPlatformExpertDevice"];
const REG = ["query", "HKLM\\SOFTWARE\\Microsoft\\Cryptography", "/v", "MachineGuid", "/reg:64"];

function afterLabel(output: string, pattern: RegExp): string {
  return pattern.exec(output)?.[1] ?? "";
}
