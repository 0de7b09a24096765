import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, type FileHandle, lstat, mkdir, open, realpath, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { RportError } from "@rport/protocol/errors";
import { readAtMost, readSmallBytes } from "@rport/protocol/local/smallFile";
import { t } from "@vscode/l10n";
import { describeNetworkError, systemCode } from "../../support/describeError.ts";
import { hasLine, withLine, withoutLine } from "./includeLine.ts";

/** Nobody has written more by hand. */
const CONFIG_MAX_BYTES = 4 * 1024 * 1024;
const WRITABLE_BY_OWNER = 0o200;

/** Whether the configuration has the line; not, when there is none. Throws a sentence when it cannot be read. */
export async function includes(path: string, line: string): Promise<boolean> {
  const found = await read(path, line);
  return found !== undefined && hasLine(found.bytes, line);
}

/**
 * Puts the line at the top of somebody's configuration, unless it is there; makes the file where there is none.
 * Throws a sentence that has the line in it when that cannot be: also for a file that its owner has made read-only.
 * Answers whether the file was made.
 */
export async function include(path: string, line: string): Promise<boolean> {
  const found = await read(path, line);
  if (found === undefined) {
    await trying(path, line, async () => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await using file = await open(path, "wx", 0o600);
      await file.writeFile(withLine(Buffer.alloc(0), line));
    });
    return true;
  }
  if (!hasLine(found.bytes, line)) {
    await trying(path, line, () => replace(found, withLine(found.bytes, line)));
  }
  return false;
}

/**
 * Takes the line out of somebody's configuration; all else stays byte for byte as it is. A file that is empty then
 * goes when `isOurs`. Throws as `include`.
 */
export async function exclude(path: string, line: string, isOurs: boolean): Promise<void> {
  const found = await read(path, line);
  if (found === undefined || !hasLine(found.bytes, line)) return;
  const rest = withoutLine(found.bytes, line);
  await trying(path, line, async () => {
    if (isOurs && rest.length === 0) await rm(found.path);
    else await replace(found, rest);
  });
}

interface Found {
  /** Where it lies, whatever links lead there. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly mode: number;
  readonly owner: number;
  readonly group: number;
}

/** Undefined when there is none. */
async function read(path: string, line: string): Promise<Found | undefined> {
  return trying(path, line, async () => {
    try {
      const real = await realpath(path);
      await using file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
      const facts = await file.stat();
      if (!facts.isFile()) throw new Error(t("it is no file"));
      const bytes = await readAtMost(file, CONFIG_MAX_BYTES);
      if (bytes === undefined) throw new Error(t("it is too large"));
      const { mode, uid: owner, gid: group } = facts;
      return { path: real, bytes, mode, owner, group };
    } catch (error) {
      if (systemCode(error) === "ENOENT" && !(await isThere(path))) return undefined;
      throw error;
    }
  });
}

/** Also a link that leads nowhere is something. */
async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** As a whole, so that nobody reads half of it, and with the rights that it had. */
async function replace(found: Found, bytes: Buffer): Promise<void> {
  if ((found.mode & WRITABLE_BY_OWNER) === 0) throw new Error(t("it is read-only"));
  const unfinished = `${found.path}.${randomBytes(4).toString("hex")}`;
  try {
    await using file = await open(unfinished, "wx", 0o600);
    await file.writeFile(bytes);
    await own(file, found);
    await file.sync();
    await chmod(unfinished, found.mode & 0o7777);
    const { bytes: now } = await readSmallBytes(found.path, CONFIG_MAX_BYTES);
    if (!now.equals(found.bytes)) {
      throw new Error(t("somebody else writes to it at this moment"));
    }
    await rename(unfinished, found.path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function own(file: FileHandle, { owner, group }: Found): Promise<void> {
  const facts = await file.stat();
  if (facts.uid !== owner || facts.gid !== group) await file.chown(owner, group);
}

async function trying<T>(path: string, line: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const why = systemCode(error) === undefined ? messageOf(error) : describeNetworkError(error);
    throw new RportError(
      "UNAVAILABLE",
      t("{0} cannot be changed: {1}. The line is: {2}", path, why, line),
      { cause: error },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
