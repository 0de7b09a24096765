import type { ClientId } from "@rport/protocol/ids";
import { z } from "zod";
import type { ClientEdit } from "../edits/clientEdit.ts";
import type { ClientRecord } from "../records/clientRecord.ts";
import { clientRecordSchema } from "../records/clientRecord.ts";
import type { Database, Statement } from "./database.ts";

const rowSchema = z
  .object({ record: z.string() })
  .transform((row): unknown => JSON.parse(row.record))
  .pipe(clientRecordSchema);

/** The clients' records on disk; they change by edits, see `EditStore`. */
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
}

/** The statements that make an edit on disk. */
export function clientStatements(edit: ClientEdit): readonly Statement[] {
  if (edit.kind === "forget") return [removeStatement(edit.client)];
  const put = putStatement(edit.record);
  return edit.kind === "adopt" ? [put, removeStatement(edit.from.client)] : [put];
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
