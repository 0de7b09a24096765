import type { AuthId, SecretId } from "@rport/protocol/ids";
import type { Database, Statement } from "./database.ts";
import type { RotationRow, SecretRow } from "./secretRow.ts";
import { rotationRowSchema, secretRowSchema } from "./secretRow.ts";

const PUT_SECRET = `INSERT OR REPLACE INTO secret
  (id, credential_id, seq, scheme, verifier, origin, state, client_id, single_use, created_at,
   last_used_at, expires_at, state_since)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const PUT_ROTATION = `INSERT OR REPLACE INTO rotation
  (credential_id, started_at, grace_ms, grace_ends_at, ended_at) VALUES (?, ?, ?, ?, ?)`;

/** One durable step: everything in it happens, or nothing. */
export interface SecretChange {
  /** Added, or put in place of the row with the same id. */
  readonly put?: readonly SecretRow[];
  readonly remove?: readonly SecretId[];
  readonly rotation?: RotationRow;
}

/** The secrets and rotations on disk. Promises resolve when a change would survive a power cut. */
export class SecretRows {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Every secret, in order of birth within its credential. */
  all(): Promise<SecretRow[]> {
    const sql = "SELECT * FROM secret ORDER BY credential_id, seq";
    return this.#database.all({ sql, params: [] }, secretRowSchema);
  }

  /** The latest rotation of each credential that ever had one. */
  rotations(): Promise<RotationRow[]> {
    return this.#database.all({ sql: "SELECT * FROM rotation", params: [] }, rotationRowSchema);
  }

  /** Makes one change, all or nothing. */
  apply(change: SecretChange): Promise<void> {
    return this.#database.write([
      ...(change.put ?? []).map(putSecret),
      ...(change.remove ?? []).map((id) => ({
        sql: "DELETE FROM secret WHERE id = ?",
        params: [id],
      })),
      ...(change.rotation === undefined ? [] : [putRotation(change.rotation)]),
    ]);
  }

  /** Removes everything that belongs to a credential. */
  removeOf(id: AuthId): Promise<void> {
    return this.#database.write([
      { sql: "DELETE FROM secret WHERE credential_id = ?", params: [id] },
      { sql: "DELETE FROM rotation WHERE credential_id = ?", params: [id] },
    ]);
  }

  /** Records when secrets were used last. Rows that are gone are skipped. */
  used(times: ReadonlyMap<SecretId, number>): Promise<void> {
    const sql = "UPDATE secret SET last_used_at = ? WHERE id = ?";
    return this.#database.write([...times].map(([id, atMs]) => ({ sql, params: [atMs, id] })));
  }
}

function putSecret(row: SecretRow): Statement {
  return {
    sql: PUT_SECRET,
    params: [
      row.id,
      row.credential_id,
      row.seq,
      row.scheme,
      row.verifier,
      row.origin,
      row.state,
      row.client_id,
      row.single_use ? 1 : 0,
      row.created_at,
      row.last_used_at,
      row.expires_at,
      row.state_since,
    ],
  };
}

function putRotation(row: RotationRow): Statement {
  return {
    sql: PUT_ROTATION,
    params: [row.credential_id, row.started_at, row.grace_ms, row.grace_ends_at, row.ended_at],
  };
}
