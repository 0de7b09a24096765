import { existsSync } from "node:fs";
import type { Shells } from "../machine/shells.ts";
import { bunPty, bunRuntime } from "./bunPty.ts";
import { BASH, nodePty } from "./nodePty.ts";
import type { OpenPty } from "./pty.ts";
import { loadPtyLibrary } from "./ptyLibrary.ts";

/** The first libuv that reads what a program wrote just before its end; Node 24.21 has it. */
const LIBUV = [1, 52] as const;

/** How terminals are opened here, or why that is not possible. */
export type FoundPty =
  | { readonly open: OpenPty }
  | { readonly open: undefined; readonly reason: string };

/** What this runtime has for terminals. */
export function findPty(shells: Shells, dataDir: string): FoundPty {
  const bun = bunRuntime();
  if (bun !== undefined) return { open: bunPty(bun, shells) };
  if (!keepsLastBytes(process.versions.uv)) {
    const reason = `Node ${process.version} would lose the end of what programs write; 24.21 would not`;
    return { open: undefined, reason };
  }
  if (!existsSync(BASH)) return { open: undefined, reason: `${BASH} is not there` };
  const loaded = loadPtyLibrary(dataDir);
  return loaded.library === undefined
    ? { open: undefined, reason: loaded.reason }
    : { open: nodePty(loaded.library) };
}

/** Whether this libuv reads a terminal to its end. */
export function keepsLastBytes(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > LIBUV[0] || (major === LIBUV[0] && minor >= LIBUV[1]);
}
