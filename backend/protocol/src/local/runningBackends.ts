import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readOwnFile } from "./ownFile.ts";

/** More files of the folder are not looked at. */
const ENTRIES_MAX = 64;
/** Largest such file that is read, in bytes. */
const ENTRY_MAX_BYTES = 8_192;
const NAME = /^[0-9a-f]{32}\.json$/;

/** What a running backend says of itself there; its endpoint file says the rest. */
export const runningEntrySchema = z.object({
  dataDir: z.string().min(1).max(4_096),
  pid: z.number().int().positive(),
});

/** A backend that said it is running. */
export interface RunningEntry extends z.infer<typeof runningEntrySchema> {
  /** The file that says so. */
  readonly path: string;
}

/** The file of a data directory in the folder of running backends. */
export function runningEntryPath(folder: string, dataDir: string): string {
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 32);
  return join(folder, `${name}.json`);
}

/**
 * What stands in the folder of running backends; those that ended without a word are in it, too. A file
 * is believed only when nobody but `owner` (a numeric user id; undefined where there are none) could have
 * written it. Never rejects: a folder that is not there has no entries.
 */
export async function readRunning(
  folder: string,
  owner: number | undefined,
): Promise<readonly RunningEntry[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const paths = names.filter((name) => NAME.test(name)).map((name) => join(folder, name));
  const read = await Promise.all(paths.slice(0, ENTRIES_MAX).map((path) => readEntry(path, owner)));
  return read.filter((entry) => entry !== undefined);
}

async function readEntry(
  path: string,
  owner: number | undefined,
): Promise<RunningEntry | undefined> {
  try {
    const read = await readOwnFile(path, { owner, maxBytes: ENTRY_MAX_BYTES });
    if (read.kind !== "text") return undefined;
    const { dataDir, pid } = runningEntrySchema.parse(JSON.parse(read.text));
    // one that was copied or renamed is not of that directory
    return path === runningEntryPath(join(path, ".."), dataDir)
      ? { path, dataDir, pid }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process of this person is running under this id, as far as one can see. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
