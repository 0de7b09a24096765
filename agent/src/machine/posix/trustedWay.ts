import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Programs } from "../programs.ts";

/** As many links as the kernels follow before they call it a loop. */
const MOST_LINKS = 40;
const ROOT = 0;
const LINK_LOOP = "leads through too many links";

/** Something on the way to a path by which others than root could exchange what is there. */
export interface ForeignPlace {
  readonly path: string;
  /** Undefined: it is root's, and others may write to it. */
  readonly uid: number | undefined;
}

/** What is asked of each file, folder and link on a way. */
interface Found {
  readonly uid: number;
  readonly mode: number;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** How a way is walked; tests give their own. */
interface WayDoors {
  lstat(path: string): Promise<Found>;
  readlink(path: string): Promise<string>;
}

/**
 * The first thing on the way to an absolute path, links followed, by which another account could put
 * something else there: what is not root's, or what others may write to. In a folder like /tmp they may add,
 * and exchange nothing of root's. Looks as far as there is anything; what is made below is to be looked at
 * again. Rejects where it cannot look.
 */
export async function foreignOnWay(
  path: string,
  doors: WayDoors = { lstat, readlink },
): Promise<ForeignPlace | undefined> {
  const left = path.split("/");
  let links = 0;
  let at = "/";
  const top = foreign(at, await doors.lstat(at));
  if (top !== undefined) return top;
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    const next = join(at, name);
    const found = await present(doors.lstat(next));
    if (found === undefined) return undefined;
    const other = foreign(next, found);
    if (other !== undefined) return other;
    if (!found.isSymbolicLink()) {
      at = next;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) throw new Error(`${path} ${LINK_LOOP}`);
    const target = await doors.readlink(next);
    if (target.startsWith("/")) at = "/";
    left.unshift(...target.split("/"));
  }
  return undefined;
}

/**
 * Why root does nothing at a path, as the sentence that says what to do instead; undefined where it may, and for
 * every caller but root.
 */
export async function whyNoRoot(path: string, programs: Programs): Promise<string | undefined> {
  if (process.getuid?.() !== ROOT) return undefined;
  const found = await foreignOnWay(path);
  if (found === undefined) return undefined;
  const refusal = "Root installs, runs and removes nothing there.";
  const other = "Choose a directory that is root's alone";
  if (found.uid === undefined) {
    return `Others can write to ${found.path}. ${refusal} ${other}, or try: chmod go-w ${found.path}`;
  }
  const { code, stdout } = await programs.run("id", ["-nu", String(found.uid)]);
  const name = code === 0 ? stdout.trim() : `the user ${found.uid}`;
  const sudo = code === 0 ? name : `'#${found.uid}'`;
  return `${found.path} belongs to ${name}. ${refusal} ${other}, or do this as ${name}: sudo -u ${sudo}`;
}

function foreign(path: string, found: Found): ForeignPlace | undefined {
  if (found.uid !== ROOT) return { path, uid: found.uid };
  if (found.isSymbolicLink() || !isWritable(found)) return undefined;
  const isSticky = found.isDirectory() && (found.mode & 0o1000) !== 0;
  return isSticky ? undefined : { path, uid: undefined };
}

/** By its group or by everybody. An access list of Linux shows in the rights of the group. */
const isWritable = ({ mode }: Pick<Found, "mode">) => (mode & 0o022) !== 0;

async function present<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
