import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { requireProgramRoom } from "../platform/descriptors.ts";

/** Time a program of the system gets to tell the id. */
const PROGRAM_MS = 5_000;
const MAX_OUTPUT_BYTES = 64 << 10;
/** Machine ids have 32 to 36 characters. */
const MACHINE_ID = /^[0-9A-Za-z][0-9A-Za-z-]{6,63}$/;
/** What images contain before their first start, and boards whose maker did not set a UUID. */
const PLACEHOLDERS = [/^uninitialized$/i, /^0[0-]*$/, /^f[f-]*$/i];

/** The doors to the system; tests give their own. */
export interface MachineDoors {
  /** Rejects when there is no such file. */
  readFile(path: string): Promise<string>;
  /** Standard output; rejects when the program fails. */
  run(program: string, args: readonly string[]): Promise<string>;
}

/** One place where a system keeps an id; rejects, or answers with something else, without one. */
export type IdReader = () => Promise<string>;

/** This machine's doors. */
export const SYSTEM_DOORS: MachineDoors = {
  readFile: (path) => readFile(path, "utf8"),
  run: (program, args) =>
    new Promise((resolve, reject) => {
      requireProgramRoom();
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
export async function machineId(readers: readonly IdReader[]): Promise<string | undefined> {
  for (const read of readers) {
    const id = (await read().catch(() => "")).trim();
    const isPlaceholder = PLACEHOLDERS.some((pattern) => pattern.test(id));
    if (MACHINE_ID.test(id) && !isPlaceholder) return id;
  }
  return undefined;
}

/** A reader of what stands behind a label in the words of a program. */
export function behindLabel(words: () => Promise<string>, label: RegExp): IdReader {
  return async () => label.exec(await words())?.[1] ?? "";
}
