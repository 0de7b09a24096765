import { chmodSync, closeSync, existsSync, openSync } from "node:fs";
import type { StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import type { Statement } from "./database.ts";
import { inspect } from "./inspection.ts";
import type { SqliteFileDeps, SqlRow } from "./sqliteMessages.ts";
import { FITS, textMatching } from "./textMatching.ts";
import { UnfitDatabaseError } from "./unfitDatabase.ts";

/** Only the owner reads and writes it; the write-ahead log gets the same mode from SQLite. */
const FILE_MODE = 0o600;
/** Statements kept prepared: far more than the repositories have; queries of people vary more. */
const PREPARED_MAX = 256;

/** SQLite, synchronous: opens, migrates, runs statements, each prepared once. */
export class SqliteFile {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();
  readonly #isRecord: boolean;
  /** Commits that somebody else knows of, and the file lacked when it was opened. */
  readonly lost: number;
  #commit = 0;

  /**
   * Opens the file; with `create` also a missing or empty one. Throws SQLite's errors and
   * `UnfitDatabaseError`; then neither the file nor its write-ahead log was changed, unless it was
   * to be created.
   */
  constructor(deps: SqliteFileDeps) {
    const { path, create, schema } = deps;
    this.#isRecord = schema.isRecord;
    if (!create) {
      if (!existsSync(path)) throw new UnfitDatabaseError("is missing");
      inspect(deps);
    }
    closeSync(openSync(path, "a", FILE_MODE));
    chmodSync(path, FILE_MODE);
    this.#database = new DatabaseSync(path);
    this.#database.function(FITS, { deterministic: true, varargs: true }, textMatching());
    try {
      this.#begin();
      this.#migrate(schema.migrations);
      this.lost = schema.isRecord ? this.#startCount(deps.leastCommit) : 0;
    } catch (caught) {
      this.#database.close();
      throw caught;
    }
  }

  /** Whether a transaction is open: SQLite itself ends one on a full disk. */
  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** The number of the last commit; 0 where they are not counted. */
  get commit(): number {
    return this.#commit;
  }

  /** Runs `work` in a transaction: what it wrote is there as a whole when this returns, or not at all. */
  transact<T>(work: () => T): T {
    this.#do("BEGIN IMMEDIATE");
    try {
      const result = work();
      if (this.#isRecord) this.#do("UPDATE counter SET commits = commits + 1");
      this.#do("COMMIT");
      if (this.#isRecord) this.#commit += 1;
      return result;
    } catch (caught) {
      if (this.isInTransaction) this.#do("ROLLBACK");
      throw caught;
    }
  }

  /**
   * Runs the statements within a transaction, all or none: what one of them throws leaves nothing of
   * those before it, unless it ended the whole transaction.
   */
  runAll(statements: readonly Statement[]): void {
    // SQLite takes back by itself what a single statement did that failed.
    if (statements.length > 1) this.#runSaved(statements);
    else for (const statement of statements) this.run(statement);
  }

  /** Runs a statement that changes rows. */
  run(statement: Statement): void {
    this.#prepare(statement.sql).run(...statement.params);
  }

  /** The rows of a query. */
  rows(query: Statement): SqlRow[] {
    const rows = this.#prepare(query.sql).all(...query.params);
    return rows.map((row) => ({ ...row }));
  }

  close(): void {
    this.#database.close();
  }

  #runSaved(statements: readonly Statement[]): void {
    this.#do("SAVEPOINT job");
    try {
      for (const statement of statements) this.run(statement);
    } catch (caught) {
      if (this.isInTransaction) this.#do("ROLLBACK TO job");
      throw caught;
    } finally {
      if (this.isInTransaction) this.#do("RELEASE job");
    }
  }

  /** Runs SQL without values or rows. */
  #do(sql: string): void {
    this.#prepare(sql).run();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size >= PREPARED_MAX && oldest !== undefined) this.#prepared.delete(oldest);
    this.#prepared.set(sql, statement);
    return statement;
  }

  #begin(): void {
    // An exclusive lock fences off what the directory lock cannot see, such as other machines.
    const kept = this.#isRecord
      ? "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL;"
      : "PRAGMA synchronous = NORMAL;";
    this.#database.exec(`${kept} PRAGMA journal_mode = WAL;`);
  }

  #migrate(migrations: readonly string[]): void {
    const version = Number(this.#pragma("user_version"));
    if (version > migrations.length) throw new UnfitDatabaseError("was written by a newer program");
    migrations.slice(version).forEach((step, index) => {
      const to = version + index + 1;
      this.#database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${to}; COMMIT;`);
    });
  }

  /**
   * Goes on with the number of the last commit, or with a later one that somebody knows of: they must
   * not meet it again. Answers with how many lie between the two.
   */
  #startCount(least = 0): number {
    const [row] = this.rows({ sql: "SELECT commits FROM counter", params: [] });
    const found = Number(row?.commits);
    this.#commit = Math.max(found, least);
    if (found < least) this.#skipTo(least);
    return this.#commit - found;
  }

  /** In the main file at once: a write-ahead log that began with a leap would look like another's. */
  #skipTo(commit: number): void {
    this.#database.exec("PRAGMA journal_mode = DELETE");
    this.run({ sql: "UPDATE counter SET commits = ?", params: [commit] });
    this.#database.exec("PRAGMA journal_mode = WAL");
  }

  #pragma(name: "user_version"): unknown {
    return Object.values(this.#database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  }
}
