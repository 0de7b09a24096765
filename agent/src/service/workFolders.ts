import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readSmallBytes } from "@rport/protocol/local/smallFile";

const NAME = /^rport-[A-Za-z0-9]{6}$/;
/** What `rport-installer.sh` writes into the file `probe` of each folder that it works in. */
const MARK = "#!/bin/sh\n# rport-installer.sh works here\n";

/**
 * The folders below a prefix in which the installer's script works or, because it was killed, has worked:
 * by their name, the mark in them, and the caller, whose they are. Nobody else's folder is like that.
 */
export async function workFoldersIn(prefix: string): Promise<readonly string[]> {
  const names = await readdir(prefix).catch(() => []);
  const found: string[] = [];
  for (const name of names) {
    if (NAME.test(name) && (await isOurs(join(prefix, name)))) found.push(join(prefix, name));
  }
  return found;
}

async function isOurs(folder: string): Promise<boolean> {
  const stats = await lstat(folder).catch(() => undefined);
  if (stats?.isDirectory() !== true || stats.uid !== process.getuid?.()) return false;
  return (await markIn(join(folder, "probe")).catch(() => undefined)) === MARK;
}

async function markIn(file: string): Promise<string | undefined> {
  const { bytes, stats } = await readSmallBytes(file, MARK.length, { followsNoLink: true });
  return stats.uid === process.getuid?.() ? bytes.toString("utf8") : undefined;
}
