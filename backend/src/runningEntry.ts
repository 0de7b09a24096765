import { readFileSync, rmSync } from "node:fs";
import { access, mkdir, rm } from "node:fs/promises";
import {
  isRunning,
  readRunning,
  runningEntryPath,
  runningEntrySchema,
} from "@rport/protocol/local/runningBackends";
import { type Person, runningFolder, usualDataDir } from "@rport/protocol/local/stateFolders";
import { errorText, type Log } from "./platform/log.ts";
import { writeDurably } from "./store/files/durableFile.ts";

/** Only its owner enters. */
const FOLDER_MODE = 0o700;

/** What announcing a backend needs. */
export interface AnnouncementDeps {
  readonly person: Person;
  readonly log: Pick<Log, "info">;
}

/**
 * Says in a file of the person's own that a backend runs with this data directory, so that an editor of
 * the same person finds it, and removes what backends left there that were killed. Editors look into the
 * usual directory anyway, so nothing is said of that. Answers how to take it back; where the file cannot
 * be written, that is logged, and nobody but an editor misses it.
 */
export async function announce(
  dataDir: string,
  { person, log }: AnnouncementDeps,
): Promise<() => void> {
  if (dataDir === usualDataDir(person)) return () => undefined;
  const folder = runningFolder(person);
  const path = runningEntryPath(folder, dataDir);
  try {
    // an account without a home is not given one
    await access(person.home);
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    await removeStale(folder);
    await writeDurably(path, `${JSON.stringify({ dataDir, pid: process.pid })}\n`);
  } catch (error) {
    log.info("editors will not find this server by themselves", { path, reason: errorText(error) });
    return () => undefined;
  }
  return () => takeBack(path);
}

/** For a process that ends now, in whatever way. Never throws. */
function takeBack(path: string): void {
  try {
    const { pid } = runningEntrySchema.parse(JSON.parse(readFileSync(path, "utf8")));
    if (pid === process.pid) rmSync(path, { force: true });
  } catch {
    // there is none, or nothing can be done about it
  }
}

async function removeStale(folder: string): Promise<void> {
  const entries = await readRunning(folder, process.geteuid?.());
  const ended = entries.filter(({ pid }) => !isRunning(pid));
  for (const { path } of ended) await rm(path, { force: true });
}
