import type { AuthId } from "@rport/protocol/ids";
import type { Database, SqlValue, Statement } from "./database.ts";
import type { SecretEdit } from "./secretEdit.ts";
import type { RotationRow, SecretRow } from "./secretRow.ts";
import { rotationRowSchema, secretRowSchema } from "./secretRow.ts";

const ADD = `INSERT INTO secret
  (id, credential_id, seq, scheme, verifier, origin, state, client_id, single_use, created_at,
   last_used_at, expires_at, unbound_until, state_since)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const BIND = "UPDATE secret SET client_id = ? WHERE id = ? AND client_id IS NULL";
const GRACE = `UPDATE secret SET
    state_since = CASE state WHEN 'grace' THEN state_since ELSE ?2 END,
    state = 'grace',
    expires_at = min(coalesce(expires_at, ?3), coalesce(?3, expires_at))
  WHERE id = ?1 AND state <> 'revoked'`;
const REVOKE = `UPDATE secret SET state = 'revoked', state_since = ?2
  WHERE id = ?1 AND state <> 'revoked'`;
const USED = "UPDATE secret SET last_used_at = ? WHERE id = ?";
const ROTATION = `INSERT OR REPLACE INTO rotation
  (credential_id, started_at, grace_ms, grace_ends_at, ended_at) VALUES (?, ?, ?, ?, ?)`;

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

  /** Makes the edits in their order, all or none. Those of rows that are gone do nothing. */
  apply(edits: readonly SecretEdit[]): Promise<void> {
    return this.#database.write(edits.map(toStatement));
  }

  /** Removes everything that belongs to a credential. */
  removeOf(id: AuthId): Promise<void> {
    return this.#database.write([
      statement("DELETE FROM secret WHERE credential_id = ?", id),
      statement("DELETE FROM rotation WHERE credential_id = ?", id),
    ]);
  }
}

function toStatement(edit: SecretEdit): Statement {
  switch (edit.kind) {
    case "add":
      return addStatement(edit.row);
    case "bind":
      return statement(BIND, edit.clientId, edit.id);
    case "grace":
      return statement(GRACE, edit.id, edit.atMs, edit.endsAtMs);
    case "revoke":
      return statement(REVOKE, edit.id, edit.atMs);
    case "used":
      return statement(USED, edit.atMs, edit.id);
    case "remove":
      return statement("DELETE FROM secret WHERE id = ?", edit.id);
    case "rotation":
      return rotationStatement(edit.row);
  }
}

function addStatement(row: SecretRow): Statement {
  return statement(
    ADD,
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
    row.unbound_until,
    row.state_since,
  );
}

function rotationStatement(row: RotationRow): Statement {
  const { credential_id, started_at, grace_ms, grace_ends_at, ended_at } = row;
  return statement(ROTATION, credential_id, started_at, grace_ms, grace_ends_at, ended_at);
}

function statement(sql: string, ...params: SqlValue[]): Statement {
  return { sql, params };
}
