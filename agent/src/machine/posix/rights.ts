import { chmod, chown, lchown, lstat } from "node:fs/promises";
import type { AccessRights } from "../accessRights.ts";
import type { Owner } from "../account.ts";

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
    if (!stats.isDirectory()) return () => lchown(path, uid, gid);
    return () => POSIX_RIGHTS.set(path, { mode: stats.mode & 0o7777, owner: { uid, gid } });
  },

  takeOver: (path) => lchown(path, process.getuid?.() ?? 0, process.getgid?.() ?? 0),
};

/** The numbers of an owner. Throws for one of Windows, which is a fault of ours. */
export function idsOf(owner: Owner): { readonly uid: number; readonly gid: number } {
  if ("uid" in owner) return owner;
  throw new Error("an owner of Windows where numbers are needed");
}
