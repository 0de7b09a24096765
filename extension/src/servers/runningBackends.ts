import { rm } from "node:fs/promises";
import { isRunning, type RunningEntry, readRunning } from "@rport/protocol/local/runningBackends";
import { runningFolder } from "@rport/protocol/local/stateFolders";
import { type Environment, personOf } from "../support/environment.ts";
import { findLocalBackend } from "./local.ts";

/** A backend of this person with a data directory of its own. */
export interface RunningBackend {
  readonly dataDir: string;
  /** Where it serves people. */
  readonly url: string;
}

/**
 * The backends that say they run with data directories of their own. Who has ended is left out, and what
 * such a process left is removed; that one has really got its port is proven when it is connected to.
 */
export async function findRunning(environment: Environment): Promise<readonly RunningBackend[]> {
  const entries = await readRunning(runningFolder(personOf(environment)), environment.uid);
  const found = await Promise.all(entries.map((entry) => look(entry, environment)));
  return found.filter((backend) => backend !== undefined);
}

async function look(
  { path, dataDir, pid }: RunningEntry,
  environment: Environment,
): Promise<RunningBackend | undefined> {
  if (!isRunning(pid)) {
    await rm(path, { force: true }).catch(() => undefined);
    return undefined;
  }
  const read = await findLocalBackend(environment, dataDir);
  // another process has that id now
  if (read.kind === "absent" || read.endpoint.pid !== pid) return undefined;
  return { dataDir, url: new URL(read.endpoint.url).origin };
}
