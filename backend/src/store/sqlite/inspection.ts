import { copyFileSync, existsSync, linkSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { areOfSameTime } from "./sameTime.ts";
import type { SqliteFileDeps } from "./sqliteMessages.ts";
import { UnfitDatabaseError } from "./unfitDatabase.ts";

/** SQLite's result code for a file that another process holds. */
const BUSY = 5;
/** What SQLite puts beside a database. */
const SUFFIXES = ["", "-wal", "-shm"] as const;
/** Locks nothing, so that the write-ahead log is read without a file of shared memory. */
const NO_LOCKS = process.platform === "win32" ? "win32-none" : "unix-none";

/**
 * Looks at a database and its write-ahead log, as they would be after a recovery, without changing
 * either: SQLite itself, once it has opened a file for writing, empties a log that does not fit.
 * What it opens here, only for reading, are second names of the two; where the file system has no
 * such names, copies. Throws `UnfitDatabaseError` when nobody should go on with it, and SQLite's
 * errors, such as when another process holds it.
 */
export function inspect(deps: SqliteFileDeps): void {
  const { path } = deps;
  if (statSync(path).size === 0) throw new UnfitDatabaseError("is empty");
  const look = `${path}.look`;
  forget(look);
  try {
    for (const suffix of ["", "-wal"]) {
      if (existsSync(path + suffix)) nameAgain(path + suffix, look + suffix);
    }
    requireFree(look);
    requireFit(look, deps);
  } finally {
    forget(look);
  }
}

function forget(look: string): void {
  for (const suffix of SUFFIXES) rmSync(look + suffix, { force: true });
}

function nameAgain(path: string, name: string): void {
  try {
    linkSync(path, name);
  } catch {
    copyFileSync(path, name);
  }
}

/** What goes wrong beyond a lock is for the closer look to say. */
function requireFree(look: string): void {
  const database = new DatabaseSync(look, { readOnly: true });
  try {
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
  } catch (caught) {
    if (caught instanceof Error && "errcode" in caught && caught.errcode === BUSY) throw caught;
  } finally {
    database.close();
  }
}

function requireFit(look: string, deps: SqliteFileDeps): void {
  const { schema, leastCommit = 0, acceptLoss = false } = deps;
  const url = pathToFileURL(look);
  url.search = `?mode=ro&vfs=${NO_LOCKS}`;
  const database = new DatabaseSync(url, { readOnly: true });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    const version = Number(firstValue(database, "PRAGMA user_version"));
    if (version === 0) throw new UnfitDatabaseError("is empty");
    if (version > schema.migrations.length) {
      throw new UnfitDatabaseError(`has schema version ${version}, written by a newer program`);
    }
    const page = Number(firstValue(database, COUNTER_PAGE) ?? 0);
    const commits = page === 0 ? 0 : Number(firstValue(database, COMMITS));
    if (page > 0 && !areOfSameTime({ path: look, page, commits })) {
      throw new UnfitDatabaseError(MIXED);
    }
    const health = firstValue(database, "PRAGMA quick_check(1)");
    if (health !== "ok") throw new UnfitDatabaseError(`is damaged (${health})`);
    if (commits < leastCommit && !acceptLoss)
      throw new UnfitDatabaseError(lossText(commits, leastCommit));
  } finally {
    database.close();
  }
}

const COMMITS = "SELECT commits FROM counter";
const COUNTER_PAGE = "SELECT rootpage FROM sqlite_schema WHERE name = 'counter'";
const MIXED =
  "it and its write-ahead log (-wal) are not of the same time: one of them is an older copy, and together " +
  "they would be a mixture, in which what was revoked could be good again. Put both, or better the whole " +
  "directory, back from one backup. If there is none, move the -wal file away; the next start then " +
  "says what is missing";

function firstValue(database: DatabaseSync, sql: string): unknown {
  return Object.values(database.prepare(sql).get() ?? {})[0];
}

function lossText(commits: number, leastCommit: number): string {
  return (
    `lacks changes that were made: it ends with number ${commits}, and the audit log tells of ` +
    `number ${leastCommit}. Its write-ahead log (-wal) is lost or damaged, or it is an older copy; ` +
    "with it, what was revoked since would be good again. Put the file and its -wal, or better the " +
    "whole directory, back from one backup. If there is none, --accept-lost-changes starts without " +
    "those changes; the audit log says what they were"
  );
}
