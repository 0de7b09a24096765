import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { quoted } from "../posix/quoted.ts";
import { lineOf, posixShells, programAt, type SwitchAccount } from "../posix/shells.ts";
import { SYSTEM_PROGRAMS } from "../programs.ts";
import type { Shells } from "../shells.ts";
import { heldTerminals } from "./heldTerminals.ts";
import { LINUX_PROCESSES } from "./processes.ts";

const SETPRIV = ["/usr/bin/setpriv", "/bin/setpriv", "/usr/sbin/setpriv"];
const SU = ["/bin/su", "/usr/bin/su"];

/** Shells of Linux. */
export function linuxShells(): Shells {
  return posixShells({
    line: async (name = String(process.getuid?.())) =>
      (await lineOf(SYSTEM_PROGRAMS, ["getent", "passwd", name])) ?? (await lineInFile(name)),
    fields: { home: 5, shell: 6 },
    switched,
    flags: { ixon: 0x400, isig: 0x1 },
    stopping: {
      libraries: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
      stop: 0,
      goOn: 1,
    },
    terminals: heldTerminals,
    processes: LINUX_PROCESSES,
  });
}

/** Small systems have no getent. */
async function lineInFile(name: string): Promise<string | undefined> {
  const text = await readFile("/etc/passwd", "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").find((line) => {
    const [written, , uid] = line.split(":");
    return written === name || uid === name;
  });
}

/**
 * `setpriv` becomes the shell, so the terminal tells truly how it ended. BusyBox has only the name of
 * it, and a `su` that does the same; that of others would take the terminal away from its shell.
 */
const switched: SwitchAccount = ({ name, ids }, script, words) => {
  const setpriv = SETPRIV.map(programAt).find((path) => path && basename(path) === "setpriv");
  const sh = ["/bin/sh", "-c", script, "sh", ...words] as const;
  if (setpriv !== undefined && ids !== undefined) {
    const who = [`--reuid=${ids.uid}`, `--regid=${ids.gid}`, "--init-groups"];
    return [setpriv, ...who, "--", ...sh];
  }
  const su = SU.map(programAt).find((path) => path && basename(path).startsWith("busybox"));
  if (su === undefined) throw new Error("this host has no setpriv, so only root has terminals");
  const set = `set -- ${words.map(quoted).join(" ")}`;
  return ["/bin/su", "-s", "/bin/sh", "-c", `${set}\n${script}`, name];
};
