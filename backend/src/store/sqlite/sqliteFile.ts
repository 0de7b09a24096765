import { chmodSync, closeSync, existsSync, openSync } from "node:fs";
import type { StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import type { SqlValue, Statement } from "./database.ts";
import { MIGRATIONS } from "./migrations.ts";
import type { SqliteFileDeps, SqlRow } from "./sqliteMessages.ts";

/** Only the owner reads and writes it; the write-ahead log gets the same mode from SQLite. */
const FILE_MODE = 0o600;
/** Statements kept prepared: far more than the repositories have; queries of people vary more. */
const PREPARED_MAX = 256;

/** The file is a database, but not one to go on with: empty, damaged, or from a newer program. */
export class UnfitDatabaseError extends Error {}

/** SQLite, synchronous: opens, migrates, runs statements, each prepared once. */
export class SqliteFile {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  /**
   * Opens the file; with `create` also a missing or empty one. Throws SQLite's errors and
   * `UnfitDatabaseError`.
   */
  constructor({ path, create }: SqliteFileDeps) {
    if (!create && !existsSync(path)) throw new UnfitDatabaseError("is missing");
    closeSync(openSync(path, "a", FILE_MODE));
    chmodSync(path, FILE_MODE);
    this.#database = new DatabaseSync(path);
    try {
      this.#check(create);
      this.#migrate();
    } catch (caught) {
      this.#database.close();
      throw caught;
    }
  }

  /** Whether a transaction is open: SQLite itself ends one on a full disk. */
  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Runs SQL without values or rows. */
  exec(sql: string): void {
    this.#database.exec(sql);
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

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size >= PREPARED_MAX && oldest !== undefined) this.#prepared.delete(oldest);
    this.#prepared.set(sql, statement);
    return statement;
  }

  #check(mayBeEmpty: boolean): void {
    // An exclusive lock fences off what the directory lock cannot see, such as other containers.
    this.#database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
    );
    const version = this.#pragma("user_version");
    if (version === 0 && !mayBeEmpty) throw new UnfitDatabaseError("is empty");
    if (typeof version !== "number" || version > MIGRATIONS.length) {
      throw new UnfitDatabaseError(`has schema version ${version}, written by a newer program`);
    }
    const health = this.#pragma("quick_check");
    if (health !== "ok") throw new UnfitDatabaseError(`is damaged (${health})`);
  }

  #migrate(): void {
    const version = Number(this.#pragma("user_version"));
    MIGRATIONS.slice(version).forEach((step, index) => {
      const to = version + index + 1;
      this.#database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${to}; COMMIT;`);
    });
  }

  #pragma(name: "user_version" | "quick_check"): SqlValue | undefined {
    return Object.values(this.#database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  }
}
