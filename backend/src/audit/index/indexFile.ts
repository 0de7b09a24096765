import { rm } from "node:fs/promises";
import { RportError } from "@rport/protocol/errors";
import type { z } from "zod";
import { errorText, type Log } from "../../platform/log.ts";
import { StartFailure } from "../../platform/startFailure.ts";
import type { RequireHeld } from "../../store/files/durableFile.ts";
import type { Database, Statement } from "../../store/sqlite/database.ts";
import { SqliteDatabase } from "../../store/sqlite/sqliteDatabase.ts";
import type { DatabaseSchema } from "../../store/sqlite/sqliteMessages.ts";
import { LASTING_TABLE } from "./lastingRows.ts";

/** The columns by which people filter come first: a filter then never reads the long texts. */
const SCHEMA: DatabaseSchema = {
  migrations: [
    `CREATE TABLE audit (
       seq INTEGER PRIMARY KEY,
       timestamp TEXT NOT NULL,
       username TEXT NOT NULL,
       remote_ip TEXT NOT NULL,
       application TEXT NOT NULL,
       action TEXT NOT NULL,
       affected_id TEXT NOT NULL,
       client_id TEXT NOT NULL,
       client_hostname TEXT NOT NULL,
       hash TEXT NOT NULL,
       request TEXT NOT NULL,
       response TEXT NOT NULL
     ) STRICT;`,
    LASTING_TABLE,
    // Rows that are gone from it are in the files: all of it is read anew, and fills the other one.
    "DELETE FROM audit;",
  ],
  isRecord: false,
};

/** What the file needs. */
export interface IndexFileDeps {
  readonly path: string;
  readonly log: Log;
  /** Awaited before it is opened. */
  readonly requireHeld?: RequireHeld | undefined;
}

/**
 * The file of the index, apart from the records: whoever searches it keeps nobody waiting who has
 * something to write there. All that is in it is in the files of the log, too, so one that is
 * damaged, or of another version, is made anew. One that cannot be opened, as on a full disk, is
 * tried again at the next call.
 */
export class IndexFile implements Database {
  readonly #deps: IndexFileDeps;
  #opening: Promise<SqliteDatabase> | undefined;

  constructor(deps: IndexFileDeps) {
    this.#deps = deps;
  }

  async write(statements: readonly Statement[]): Promise<void> {
    await (await this.#open()).write(statements);
  }

  async all<T>(query: Statement, schema: z.ZodType<T>): Promise<T[]> {
    return await (await this.#open()).all(query, schema);
  }

  async close(): Promise<void> {
    const database = await this.#opening?.catch(() => undefined);
    await database?.close();
  }

  #open(): Promise<SqliteDatabase> {
    this.#opening ??= openOrRenew(this.#deps).catch((cause: unknown) => {
      this.#opening = undefined;
      throw new RportError("UNAVAILABLE", "The index of the audit log cannot be opened.", {
        cause,
      });
    });
    return this.#opening;
  }
}

async function openOrRenew({ path, log, requireHeld }: IndexFileDeps): Promise<SqliteDatabase> {
  await requireHeld?.();
  const deps = { path, create: true, schema: SCHEMA };
  try {
    return await SqliteDatabase.open(deps);
  } catch (caught) {
    if (!(caught instanceof StartFailure) || caught.why !== "data") throw caught;
    log.warn("the index of the audit log is made anew", { reason: errorText(caught) });
    for (const suffix of ["", "-wal", "-shm"]) await rm(path + suffix, { force: true });
    return await SqliteDatabase.open(deps);
  }
}
