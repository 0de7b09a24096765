import { constants } from "node:fs";
import { copyFile, link, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import writeFileAtomic from "write-file-atomic";

/** Only the owner reads and writes what we keep. */
const FILE_MODE = 0o600;
/** What write-file-atomic, or `renamePrevious`, appends to the name of a temporary file. */
const LEFTOVER = /^\.(\d{2,}|1\.new)$/;

/** Where the generation before the current one is kept. */
export function previousOf(path: string): string {
  return `${path}.1`;
}

/**
 * Resolves while what is found under the directory's path is the directory that this process took.
 * Fails with `UNAVAILABLE` when it was moved away, or another put in its place, and with the system's
 * errors when nobody can tell. To be awaited before anything is written there by its path.
 */
export type RequireHeld = () => Promise<void>;

/** How a file is replaced. */
export interface WriteOptions {
  readonly keepPrevious?: boolean | undefined;
  /** Fails when the directory is no longer the one that is meant. */
  readonly requireHeld?: RequireHeld | undefined;
}

/**
 * Replaces a file so that after a crash or a power cut there is the old content or the new one,
 * never a mixture; resolves when the new one would survive. With `keepPrevious` the old content
 * stays as `previousOf(path)`. `requireHeld` is awaited first, and again right before the new content
 * takes the name. On failure nothing changed and no temporary file is left.
 *
 * The content is written from the `tmpfileCreated` hook, not by write-file-atomic itself: that
 * takes a short write, which is what a nearly full disk answers, for a complete one.
 */
export async function writeDurably(
  path: string,
  text: string,
  { keepPrevious = false, requireHeld }: WriteOptions = {},
): Promise<void> {
  await requireHeld?.();
  await writeFileAtomic(path, Buffer.alloc(0), {
    mode: FILE_MODE,
    tmpfileCreated: async (temporary) => {
      await fill(temporary, text);
      await requireHeld?.();
      if (keepPrevious) await renamePrevious(path);
    },
  });
  await syncDirectory(dirname(path));
}

/** Removes temporary files that a killed process left beside `path`. */
export async function removeLeftovers(path: string): Promise<void> {
  const directory = dirname(path);
  const name = basename(path);
  for (const other of await readdir(directory)) {
    const isLeftover = other.startsWith(`${name}.`) && LEFTOVER.test(other.slice(name.length));
    if (isLeftover) await rm(join(directory, other), { force: true });
  }
}

/** Makes new, renamed and removed names in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory; NTFS journals its names itself.
  if (process.platform === "win32") return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function fill(temporary: string, text: string): Promise<void> {
  const file = await open(temporary, "r+", FILE_MODE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A second name for the current file, put in place of the older one in a single step. */
async function renamePrevious(path: string): Promise<void> {
  const fresh = `${previousOf(path)}.new`;
  await rm(fresh, { force: true });
  try {
    await link(path, fresh);
  } catch (caught) {
    if (codeOf(caught) === "ENOENT") return;
    await copyFile(path, fresh);
  }
  await rename(fresh, previousOf(path));
}

/** The system's code of an error, such as `ENOSPC`; empty when there is none. */
export function codeOf(caught: unknown): string {
  const code = caught instanceof Error && "code" in caught ? caught.code : undefined;
  return typeof code === "string" ? code : "";
}
