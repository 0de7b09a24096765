import { constants } from "node:fs";
import { link, open, rm } from "node:fs/promises";

/** Whoever may write to the folder can put something in the way each time. */
const TRIES = 5;

/**
 * Gives a file a second name, under which it is still there when the first is replaced, or a copy where
 * the file system has no second names. What stands under that name is removed, never followed or
 * written to: in a folder of another account it could be a link to any file of the machine. Rejects
 * when there is something again and again.
 */
export async function keepFile(
  path: string,
  kept: string,
  { name = link }: { readonly name?: typeof link } = {},
): Promise<void> {
  for (let left = TRIES; left > 0; left -= 1) {
    await rm(kept, { force: true });
    const failure = await keepOnce(path, kept, name).then(() => undefined, codeOf);
    if (failure === undefined) return;
    if (failure.code !== "EEXIST") throw failure.error;
  }
  throw new Error(`${kept} is made again and again by somebody else`);
}

async function keepOnce(path: string, kept: string, name: typeof link): Promise<void> {
  const failure = await name(path, kept).then(() => undefined, codeOf);
  if (failure === undefined) return;
  if (failure.code === "EEXIST") throw failure.error;
  await copyNew(path, kept);
}

/** Copies a plain file, with its owner and mode, to a name that nothing has. */
async function copyNew(path: string, copy: string): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  await using from = await open(path, flags);
  const stats = await from.stat();
  if (!stats.isFile()) throw new Error(`${path} is no plain file`);
  await using to = await open(copy, "wx", 0o600);
  await to.writeFile(from.createReadStream({ autoClose: false }));
  // Only root can give it away; anybody else keeps a copy that is as readable as it may be.
  await to.chown(stats.uid, stats.gid).catch(() => {});
  await to.chmod(stats.mode & 0o777);
}

function codeOf(caught: unknown): { readonly code: unknown; readonly error: Error } {
  const error = caught instanceof Error ? caught : new Error(String(caught));
  return { code: "code" in error ? error.code : undefined, error };
}
