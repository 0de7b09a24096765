import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { readAtMost } from "./smallFile.ts";

/**
 * What reading a person's own file came to: its text; `other`, something else has the name (a link, a pipe, a
 * device, a folder) or it is too large; `exposed`, other users can read or change it.
 */
export type OwnFile =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "other" }
  | { readonly kind: "exposed" };

/** Whose a file has to be, and how large it may be. */
export interface OwnFileRule {
  /** A numeric user id; undefined where there are none. */
  readonly owner: number | undefined;
  readonly maxBytes: number;
}

/** Not waited for: a pipe is open at once, and a link is not followed. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** How the system says that the name is a link, or a socket's. */
const NO_FILE: ReadonlySet<unknown> = new Set(["ELOOP", "EMLINK", "ENXIO"]);

/**
 * Reads a file that nobody but its owner could have written. What another account put under its name keeps
 * nobody waiting: opening a pipe the usual way takes one of the few threads that all access to files goes
 * through, and does not give it back. Rejects with the error of the system, such as when there is none.
 */
export async function readOwnFile(path: string, rule: OwnFileRule): Promise<OwnFile> {
  const opened = await open(path, FLAGS).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && NO_FILE.has(error.code)) return undefined;
    throw error;
  });
  if (opened === undefined) return { kind: "other" };
  await using file = opened;
  const facts = await file.stat();
  if (!facts.isFile()) return { kind: "other" };
  if (rule.owner !== undefined && (facts.uid !== rule.owner || (facts.mode & 0o077) !== 0)) {
    return { kind: "exposed" };
  }
  const bytes = await readAtMost(file, rule.maxBytes);
  return bytes === undefined ? { kind: "other" } : { kind: "text", text: bytes.toString("utf8") };
}
