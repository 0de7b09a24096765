import { rename } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** What Windows says while somebody has one of the files open, if only to read it. */
const IN_USE: ReadonlySet<string> = new Set(["EPERM", "EACCES", "EBUSY"]);
/** Between two tries; reading a small file takes less than all of them. */
const PAUSES_MS = [5, 10, 20, 50, 100, 200, 400];

/**
 * Puts a file in the place of another one, or of none. A reader of the old one, which keeps it in its
 * place on Windows, gets a moment to end. Rejects, with both files as they were, as `rename` does.
 */
export async function replaceFile(from: string, to: string, move = rename): Promise<void> {
  for (const pauseMs of PAUSES_MS) {
    const failure = await move(from, to).then(() => undefined, asError);
    if (failure === undefined) return;
    if (!isInUse(failure)) throw failure;
    await pause(pauseMs);
  }
  await move(from, to);
}

function asError(caught: unknown): Error {
  return caught instanceof Error ? caught : new Error(String(caught));
}

function isInUse(error: Error): boolean {
  return "code" in error && typeof error.code === "string" && IN_USE.has(error.code);
}
