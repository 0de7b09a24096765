import { opendir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { AccessRights, Identity } from "./accessRights.ts";

/** A folder that this run has made and given to another account. */
export interface GivenFolder {
  readonly path: string;
  /** What it was when it was made. */
  readonly made: Identity;
  /** Whether an installation, or its agent, gives this name in it. */
  owns(name: string): boolean;
}

/**
 * Removes a folder that was made for another account, with what has a name of ours. It becomes the caller's first:
 * from then on that account exchanges nothing in it. None of its folders is looked into, and of links the links alone
 * go. Rejects when anything else is in it; then it stays, for the caller alone.
 */
export async function takeBack(
  { path, made, owns }: GivenFolder,
  { takeOver }: Pick<AccessRights, "takeOver">,
): Promise<void> {
  await takeOver(path, made);
  let left = 0;
  for await (const { name } of await opendir(path)) {
    const isGone = owns(name) && (await isUnlinked(join(path, name)));
    if (!isGone) left += 1;
  }
  if (left === 0) return await rmdir(path);
  throw new Error(
    `${left} names in it are not this installation's, so it stays, for its owner alone`,
  );
}

/** What cannot be removed, such as a folder with the name of a file of ours, is no reason to stop. */
async function isUnlinked(path: string): Promise<boolean> {
  return unlink(path).then(
    () => true,
    () => false,
  );
}
