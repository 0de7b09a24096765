import { type BigIntStats, existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readNamedSync } from "@rport/protocol/local/smallFile";
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import { toTime } from "../../platform/clock.ts";
import { StartFailure } from "../../platform/startFailure.ts";

/** Of several that start at once, those that lose the race wait so long for the winner to have won. */
const RACE_MS = 500;
/** SQLite's result code for a file that another process holds. */
const BUSY = 5;
/** Only the owner of the directory may open it, so nobody else can hold it. */
const FILE_MODE = 0o600;
const OWNER_MAX_BYTES = 1_024;

const ownerSchema = z.object({
  pid: z.int().positive(),
  started_at: z.iso.datetime(),
});

/** The process that owns a data directory. */
export type Owner = z.infer<typeof ownerSchema>;

/** What tells one file of the machine from every other, for as long as it is open. */
export type FileIdentity = Pick<BigIntStats, "dev" | "ino">;

/** Ownership of a data directory. The system takes it back however the process ends. */
export interface DirectoryLock {
  /** The name of the file that is locked. */
  readonly path: string;
  /** Whether this is the file that is locked. */
  isAt(file: FileIdentity): boolean;
  /** Gives the directory back; what another process has put in its place stays as it is. */
  release(): void;
}

/**
 * Makes this process the only owner of a data directory, which must exist. The lock is one of the
 * kernel on an empty file in the directory: whoever may not enter cannot hold it, it is gone with
 * its process even after kill -9, and it is the same in every network namespace and under every name
 * of the directory. Node has no call for such locks, but SQLite does, on every platform. Fails with
 * `StartFailure` `inUse`, naming the owner.
 */
export function lockDirectory(directory: string, clock: Clock): DirectoryLock {
  const path = join(directory, "lock");
  const file = hold(directory, path);
  const { dev, ino } = statSync(path, { bigint: true });
  const isAt = (other: FileIdentity) => other.dev === dev && other.ino === ino;
  const owner: Owner = { pid: process.pid, started_at: toTime(clock.now()) };
  tell(ownerPath(directory), owner);
  return {
    path,
    isAt,
    release: () => {
      if (!file.isOpen) return;
      const there = statSync(path, { bigint: true, throwIfNoEntry: false });
      if (there !== undefined && isAt(there)) rmSync(ownerPath(directory), { force: true });
      file.close();
    },
  };
}

/** The last process that took the directory and has not given it back; it may have been killed. */
export function lastOwnerOf(directory: string): Owner | undefined {
  try {
    const text = readNamedSync(ownerPath(directory), OWNER_MAX_BYTES)?.toString("utf8") ?? "";
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function ownerPath(directory: string): string {
  return join(directory, "lock.json");
}

/** The file stays empty: a transaction that writes nothing is the lock, also on a full disk. */
function hold(directory: string, path: string): DatabaseSync {
  try {
    // Closing any descriptor of the file would give up what this process may hold on it already.
    if (!existsSync(path)) writeFileSync(path, "", { mode: FILE_MODE, flag: "a" });
    const file = new DatabaseSync(path, { timeout: RACE_MS });
    try {
      file.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      return file;
    } catch (caught) {
      file.close();
      throw caught;
    }
  } catch (caught) {
    if (caught instanceof Error && "errcode" in caught && caught.errcode === BUSY) {
      throw inUse(directory);
    }
    const reason = caught instanceof Error ? caught.message : String(caught);
    throw new StartFailure("io", `${path} cannot be locked: ${reason}`, { cause: caught });
  }
}

/** A full disk keeps the name of the owner, and not the lock, from being written. */
function tell(path: string, owner: Owner): void {
  try {
    writeFileSync(path, JSON.stringify(owner), { mode: FILE_MODE });
  } catch {
    rmSync(path, { force: true });
  }
}

function inUse(directory: string): StartFailure {
  const owner = lastOwnerOf(directory);
  const who =
    owner === undefined ? "another process" : `process ${owner.pid}, started ${owner.started_at}`;
  return new StartFailure(
    "inUse",
    `${directory} is in use by ${who}. A data directory has one server at a time: ` +
      "stop that one, or choose another with --data-dir.",
  );
}
