import type { ClientId } from "@rport/protocol/ids";
import { z } from "zod";
import type { ClientRecord } from "./clientRecord.ts";
import { clientRecordSchema } from "./clientRecord.ts";
import type { Database, Statement } from "./database.ts";
import type { SecretEdit } from "./secretEdit.ts";
import { secretStatement } from "./secretRows.ts";

const rowSchema = z
  .object({ record: z.string() })
  .transform((row): unknown => JSON.parse(row.record))
  .pipe(clientRecordSchema);

/** The clients' records on disk. Each promise resolves when the change would survive a power cut. */
export class ClientRows {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Every record, by client id. */
  all(): Promise<ClientRecord[]> {
    return this.#database.all(
      { sql: "SELECT record FROM client ORDER BY id", params: [] },
      rowSchema,
    );
  }

  /** Adds the record, or replaces the one of the same client. */
  put(record: ClientRecord): Promise<void> {
    return this.#database.write([putStatement(record)]);
  }

  /** Removes records, all or none; those that are not there are skipped. */
  remove(ids: readonly ClientId[]): Promise<void> {
    return this.#database.write(ids.map(removeStatement));
  }

  /** Puts a record that another one was moved into, and what follows from that; all or nothing. */
  move(record: ClientRecord, from: ClientId, edits: readonly SecretEdit[]): Promise<void> {
    const moved = [putStatement(record), removeStatement(from)];
    return this.#database.write([...moved, ...edits.map(secretStatement)]);
  }
}

function putStatement(record: ClientRecord): Statement {
  return {
    sql: `INSERT INTO client (id, credential_id, record) VALUES (?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET
            credential_id = excluded.credential_id, record = excluded.record`,
    params: [record.id, record.client_auth_id, JSON.stringify(record)],
  };
}

function removeStatement(id: ClientId): Statement {
  return { sql: "DELETE FROM client WHERE id = ?", params: [id] };
}
