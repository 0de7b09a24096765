import { createHash } from "node:crypto";
import { lstat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { windowsFolder } from "./windowsKey.ts";

/** The path of a socket has to be shorter on some systems than on others; this fits everywhere. */
const PATH_MAX_BYTES = 100;
const LONGEST_NAME = "999999999.sock";
/** Where a system has a folder for each person who is signed in. */
const RUNTIME_FOLDERS = "/run/user";

/**
 * The folders in which the seat of a storage folder may be, the one to take it in first. It is in the storage
 * folder where the path of a socket may be so long, else in the folder that the system has made for this person
 * alone, by the number of the person: a terminal may lack the variable that names it. Where there is none, it is
 * in the one for all, where somebody else may take the name; a seat that was taken there before is found there,
 * unless the folder is somebody else's.
 */
export async function seatFoldersOf(
  storage: string,
  runtimeFolders = RUNTIME_FOLDERS,
): Promise<readonly [string, ...string[]]> {
  const usual = windowsFolder(storage);
  if (Buffer.byteLength(join(usual, LONGEST_NAME)) <= PATH_MAX_BYTES) return [usual];
  const person = process.getuid?.();
  const runtime = join(runtimeFolders, String(person));
  const forAll = join(tmpdir(), `rport-${person}-${markOf(storage)}`);
  if (!(await isForOneself(runtime))) return [forAll];
  const own = join(runtime, `rport-${markOf(storage)}`);
  return (await isForOneself(forAll)) ? [own, forAll] : [own];
}

/** What stands for a storage folder in a name. */
export function markOf(storage: string): string {
  return createHash("sha256").update(storage).digest("hex").slice(0, 16);
}

/** Whether it is a folder, no link to one, that nobody else can enter. */
async function isForOneself(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined || !found.isDirectory()) return false;
  return found.uid === process.geteuid?.() && (found.mode & 0o077) === 0;
}
