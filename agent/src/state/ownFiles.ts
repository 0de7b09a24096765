import { lstat, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { hostKeyFileIn } from "../host/hostKey.ts";
import { stateFileIn } from "./stateFile.ts";

/** What is put beside a file: while it is written, when it is damaged, or replaced for a while. */
const BESIDE = /^(\.[0-9a-f]{12}\.tmp|\.damaged|\.previous)?$/;

/** What clearing a data directory left there, because the agent did not write it. */
export type LeftBehind = readonly string[];

/**
 * Removes the files that the agent writes from a data directory, except for those named in
 * `kept`; the answer names what else is there. Nothing below another folder, and nothing behind a
 * link in the directory's place, is touched. Harmless when there is no such directory.
 */
export async function removeOwnFiles(
  dataDir: string,
  kept: readonly string[] = [],
): Promise<LeftBehind> {
  const stats = await lstat(dataDir).catch(() => undefined);
  if (stats === undefined) return [];
  if (!stats.isDirectory()) return [dataDir];
  const left: string[] = [];
  for (const name of await readdir(dataDir)) {
    const path = join(dataDir, name);
    if (kept.includes(path)) continue;
    if (!isOwnName(dataDir, name) || !(await isRemoved(path))) left.push(path);
  }
  return left;
}

/** Tried, not asked before: another account, to which the folder still belongs, may put a folder there meanwhile. */
async function isRemoved(path: string): Promise<boolean> {
  try {
    await rm(path, { force: true });
    return true;
  } catch (error) {
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isDirectory() === true) return false;
    throw error;
  }
}

/** Whether the agent gives this name to a file in its data directory. */
export function isOwnName(dataDir: string, name: string): boolean {
  return [stateFileIn(dataDir), hostKeyFileIn(dataDir)].some((file) => {
    const own = basename(file);
    return name.startsWith(own) && BESIDE.test(name.slice(own.length));
  });
}
