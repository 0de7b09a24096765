import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { textOf } from "../platform/errorText.ts";
import type { PtyLibrary } from "./nodePty.ts";

/**
 * The library of node-pty as a `data:` address, put here by the build where it had one: the bundle is
 * copied to hosts alone, and nothing is installed beside it.
 */
declare const RPORT_PTY_LIBRARY: string | undefined;

/** What loading came to: the library, or why there is none. */
export type LoadedLibrary =
  | { readonly library: PtyLibrary }
  | { readonly library: undefined; readonly reason: string };

/**
 * Loads the library that is in this program. The system loads it out of a file, so it is written into
 * a folder of our own, and gone again when it is loaded.
 */
export function loadPtyLibrary(dataDir: string): LoadedLibrary {
  if (typeof RPORT_PTY_LIBRARY === "undefined") {
    return { library: undefined, reason: "this build of the agent has no library for terminals" };
  }
  const bytes = Buffer.from(RPORT_PTY_LIBRARY.slice(RPORT_PTY_LIBRARY.indexOf(",") + 1), "base64");
  let reason = "";
  for (const folder of [dataDir, tmpdir()]) {
    try {
      return { library: loadedFrom(folder, bytes) };
    } catch (error) {
      reason = textOf(error);
    }
  }
  return { library: undefined, reason: `the library for terminals cannot be loaded: ${reason}` };
}

function loadedFrom(folder: string, bytes: Buffer): PtyLibrary {
  const own = mkdtempSync(join(folder, "terminal-"));
  try {
    const file = join(own, "pty.node");
    writeFileSync(file, bytes, { mode: 0o700, flag: "wx" });
    const holder: { exports: object } = { exports: {} };
    process.dlopen(holder, file);
    return holder.exports as PtyLibrary;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
