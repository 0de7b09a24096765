import { randomBytes } from "node:crypto";
import { type FileHandle, open, realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { replaceFile } from "./replaceFile.ts";

/** Who may read a file, and whose it is. */
export interface FileOwner {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Replaces a file so that after a crash it holds either the old or the new text, and once this has
 * resolved the new one, if the file system can sync a folder. Mode and owner of an existing file
 * are kept; `fresh` is for a new one. A symbolic link stays, its target is replaced; but root follows
 * none out of a folder of another account, which could lead it to any file of the machine. Rejects,
 * with the old file untouched, when the folder cannot be written to.
 */
export async function writeDurably(path: string, text: string, fresh: FileOwner): Promise<void> {
  const target = await targetOf(path);
  const owner = (await ownerOf(target)) ?? fresh;
  const temporary = `${target}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeAndSync(temporary, text, owner);
    await replaceFile(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  // The new text is in place and cannot be taken back: a failure told from here would make the
  // caller go on with a text that no later start finds.
  await syncFolder(dirname(target)).catch(() => {});
}

async function targetOf(path: string): Promise<string> {
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  const here = join(folder, basename(path));
  const target = await realpath(path).catch(() => here);
  if (target === here || process.getuid?.() !== 0) return target;
  if ((await stat(folder)).uid === 0) return target;
  throw new Error(`${path} is a link, and root follows none in a folder of another account`);
}

async function ownerOf(path: string): Promise<FileOwner | undefined> {
  try {
    const { mode, uid, gid } = await stat(path);
    return { mode: mode & 0o777, uid, gid };
  } catch {
    return undefined;
  }
}

async function writeAndSync(path: string, text: string, owner: FileOwner): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await giveTo(file, owner);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Only root may give files away; anybody else keeps what it writes. */
async function giveTo(file: FileHandle, owner: FileOwner): Promise<void> {
  const { uid, gid, mode } = owner;
  if (uid !== undefined && gid !== undefined) await file.chown(uid, gid).catch(() => {});
  await file.chmod(mode);
}

/** Makes the names in a folder durable. Rejects on Windows, which needs no such step. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
