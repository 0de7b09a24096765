import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, open, readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder } from "../platform/durableFile.ts";
import { keepFile } from "../platform/keepFile.ts";
import { replaceFile } from "../platform/replaceFile.ts";
import type { Access, AccessRights, Identity } from "./accessRights.ts";
import { takeBack } from "./takeBack.ts";
import type { Undo } from "./undo.ts";

/** What changing files needs: how to take it back, and how this system sets their rights. */
export interface Changing {
  readonly undo: Undo;
  readonly rights: AccessRights;
}

/** A file to be written, from text or from another file. */
export interface Placement {
  readonly path: string;
  readonly from: { readonly text: string } | { readonly file: string };
  readonly access: Access;
}

/** Whose a directory is to be. */
export interface FolderAccess extends Access {
  /** Which names in it the installation and its agent give. With `owner`, an undo removes no others. */
  readonly owns?: (name: string) => boolean;
}

/** Fixed names beside the file, so that the next run finds what a killed one left. */
const besides = (path: string) => ({ draft: `${path}.new`, previous: `${path}.previous` });

/**
 * Writes a file in one step: whoever looks, also after a crash, sees the old one or the whole new
 * one, and a link that stands there is replaced, not followed. `undo` brings the old file back.
 */
export async function placeFile(placement: Placement, { undo, rights }: Changing): Promise<void> {
  const { path } = placement;
  const { draft, previous } = besides(path);
  await removeDrafts(path);
  undo.add(`remove ${draft}`, () => rm(draft, { force: true }));
  await writeDraft(draft, placement, rights);
  if (await isPresent(path)) {
    await keepFile(path, previous);
    undo.keep(() => rm(previous, { force: true }));
    undo.add(`restore ${path}`, () => restore(previous, path));
  } else {
    undo.add(`remove ${path}`, () => rm(path, { force: true }));
  }
  await replaceFile(draft, path);
  // Not every file system can do it, and the new file is in place.
  await syncFolder(dirname(path)).catch(() => {});
}

/** Removes what a killed run may have left beside a file. */
export async function removeDrafts(path: string): Promise<void> {
  const { draft, previous } = besides(path);
  await rm(draft, { force: true });
  await rm(previous, { force: true });
}

/**
 * Gives a file to its owner. Refuses links and files with a second name: in a directory to which
 * others may write, those could stand for any file of the machine.
 */
export async function giveFile(
  path: string,
  access: Access,
  { undo, rights }: Changing,
): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error(`${path} is no plain file`);
    if (stats.nlink !== 1) throw new Error(`${path} has a second name`);
    undo.add(`restore the access to ${path}`, await rights.remember(path));
    await rights.setOpen(file, path, access);
  } finally {
    await file.close();
  }
}

/**
 * Makes a directory, and those above it, unless it is there; its access is set in any case. `undo` removes what was
 * made: with all that is in it, unless it has become another account's.
 */
export async function ensureDirectory(
  path: string,
  access: FolderAccess,
  { undo, rights }: Changing,
): Promise<void> {
  const missing = await missingDirectories(path);
  for (const directory of missing) {
    await mkdir(directory);
    // Whatever the caller's mask says: others must get through to what is below.
    await chmod(directory, 0o755);
    const made = await lstat(directory);
    undo.add(`remove ${directory}`, async () => {
      if (directory !== path) return await rmdir(directory);
      await removeMade({ path, made, access }, rights);
    });
  }
  if (missing.length === 0) {
    undo.add(`restore the access to ${path}`, await rights.remember(path));
  }
  await rights.set(path, access);
}

interface MadeFolder {
  readonly path: string;
  readonly made: Identity;
  readonly access: FolderAccess;
}

async function removeMade({ path, made, access }: MadeFolder, rights: AccessRights): Promise<void> {
  const { owner, owns = () => false } = access;
  if (owner === undefined) await removeTree(path);
  else if (await isPresent(path)) await takeBack({ path, made, owns }, rights);
}

/**
 * Removes a directory with all that is in it, of links the links alone. Harmless when it is gone. Only
 * for directories that nobody else may write to: another account could put a link in the place of one.
 */
export async function removeTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await removeTree(path);
    else await rm(path, { force: true });
  }
  await removeIfEmpty(directory);
}

/** The directories that `mkdir -p` would make, the highest first. */
export async function missingDirectories(path: string): Promise<readonly string[]> {
  if (await isPresent(path)) return [];
  return [...(await missingDirectories(dirname(path))), path];
}

/** Whether something, be it a dangling link, has this path. */
export async function isPresent(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}

/** Removes a directory that nothing is left in. */
export async function removeIfEmpty(path: string): Promise<void> {
  await rmdir(path).catch(() => {});
}

/** Renaming does nothing when both names are still the same file. */
async function restore(previous: string, path: string): Promise<void> {
  await replaceFile(previous, path);
  await rm(previous, { force: true });
}

async function writeDraft(
  draft: string,
  { from, access }: Placement,
  rights: AccessRights,
): Promise<void> {
  if ("file" in from) await copyFile(from.file, draft, constants.COPYFILE_EXCL);
  const file = await open(draft, "text" in from ? "wx" : "r+", 0o600);
  try {
    if ("text" in from) await file.writeFile(from.text);
    await rights.setOpen(file, draft, access);
    await file.sync();
  } finally {
    await file.close();
  }
}
