import { constants } from "node:fs";
import { chmod, chown, type FileHandle, lchown, lstat, open } from "node:fs/promises";
import type { AccessRights, Identity } from "../accessRights.ts";
import type { Owner } from "../account.ts";

/** Follows no link, and does not wait for who writes into a pipe. */
const PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Rights by owner, group and mode. */
export const POSIX_RIGHTS: AccessRights = {
  async setOpen(file, _path, { mode, owner }) {
    const { uid, gid } = owner === undefined ? {} : idsOf(owner);
    if (uid !== undefined && gid !== undefined) await file.chown(uid, gid);
    // Not every file system has modes, and none of them minds one that it has already.
    if (((await file.stat()).mode & 0o777) !== mode) await file.chmod(mode);
  },

  async set(path, { mode, owner }) {
    if (owner !== undefined) await chown(path, idsOf(owner).uid, idsOf(owner).gid);
    await chmod(path, mode);
  },

  async remember(path) {
    const stats = await lstat(path);
    const { uid, gid } = stats;
    if (stats.isSymbolicLink()) return () => lchown(path, uid, gid);
    return async () => {
      await using entry = await open(path, PLAIN);
      // The agent replaces its own files.
      const { ino, uid: now } = await entry.stat();
      if (!stats.isDirectory() && now === uid && ino !== stats.ino) return;
      await assertSame(entry, path, stats);
      await entry.chown(uid, gid);
      if (stats.isDirectory()) await entry.chmod(stats.mode & 0o7777);
    };
  },

  async takeOver(path, made) {
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    const isFolder = made !== undefined || (await lstat(path)).isDirectory();
    if (!isFolder) return await lchown(path, uid, gid);
    await using folder = await open(path, PLAIN | constants.O_DIRECTORY);
    if (made !== undefined) await assertSame(folder, path, made);
    await folder.chown(uid, gid);
    await folder.chmod(0o700);
  },
};

/** What another account has put there since could be a second name of any file of the machine. */
async function assertSame(entry: FileHandle, path: string, known: Identity): Promise<void> {
  const { dev, ino } = await entry.stat();
  if (dev !== known.dev || ino !== known.ino) throw new Error(`${path} is another one by now`);
}

/** The numbers of an owner. Throws for one of Windows, which is a fault of ours. */
export function idsOf(owner: Owner): { readonly uid: number; readonly gid: number } {
  if ("uid" in owner) return owner;
  throw new Error("an owner of Windows where numbers are needed");
}
