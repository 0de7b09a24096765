import { type AuthId, authIdSchema } from "@rport/protocol/ids";
import { z } from "zod";
import { DELETED_MAX } from "../edits/credentialEdit.ts";
import type { SecretEdit, ShiftEdit } from "../edits/secretEdit.ts";
import type { RotationRow, SecretRow } from "../records/secretRow.ts";
import { rotationRowSchema, secretRowSchema } from "../records/secretRow.ts";
import type { ShiftRow } from "../records/shiftRow.ts";
import { shiftRowSchema } from "../records/shiftRow.ts";
import type { Database, SqlValue, Statement } from "./database.ts";

const ADD = `INSERT INTO secret
  (id, credential_id, seq, scheme, verifier, origin, state, client_id, single_use, created_at,
   last_used_at, expires_at, unbound_until, state_since)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const BIND = "UPDATE secret SET client_id = ? WHERE id = ? AND client_id IS NULL";
const REBIND = `UPDATE secret SET client_id = ?2
  WHERE id = ?1 AND client_id = ?3 AND state <> 'revoked'`;
const GRACE = `UPDATE secret SET
    state_since = CASE state WHEN 'grace' THEN state_since ELSE ?2 END,
    state = 'grace',
    expires_at = CASE state WHEN 'grace' THEN ?3
    ELSE min(coalesce(expires_at, ?3), coalesce(?3, expires_at)) END
  WHERE id = ?1 AND state <> 'revoked'`;
const ACTIVATE = `UPDATE secret SET state = 'active', state_since = ?2, expires_at = NULL
  WHERE id = ?1 AND state = 'grace'`;
const REVOKE = `UPDATE secret SET state = 'revoked', state_since = ?2
  WHERE id = ?1 AND state <> 'revoked'`;
const USED = "UPDATE secret SET last_used_at = ? WHERE id = ?";
const ROTATION = `INSERT OR REPLACE INTO rotation
  (credential_id, started_at, grace_ms, grace_ends_at, ended_at) VALUES (?, ?, ?, ?, ?)`;

const FORGET_OLDEST = `DELETE FROM deleted_credential WHERE id NOT IN
  (SELECT id FROM deleted_credential ORDER BY deleted_at DESC, rowid DESC LIMIT ?)`;

const deletedRowSchema = z.object({ id: authIdSchema });
/** The table is called `move`, as released; a shift everywhere else. */
const SHIFT = `INSERT OR REPLACE INTO move
  (credential_id, client_id, state, reason, secret_id, changed_at) VALUES (?, ?, ?, ?, ?, ?)`;
const UNSHIFT = "DELETE FROM move WHERE credential_id = ? AND client_id = ?";
const SHIFTED = `UPDATE move SET state = ?, reason = ?, changed_at = ?
  WHERE credential_id = ? AND client_id = ? AND secret_id = ?`;

/** The secrets and rotations on disk; they change by edits, see `EditStore`. */
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

  /** Where the clients stand in the rotations that are under way. */
  shifts(): Promise<ShiftRow[]> {
    return this.#database.all({ sql: "SELECT * FROM move", params: [] }, shiftRowSchema);
  }

  /** The credentials that were deleted last, in that order. */
  async deleted(): Promise<AuthId[]> {
    const sql = "SELECT id FROM deleted_credential ORDER BY deleted_at, rowid";
    const rows = await this.#database.all({ sql, params: [] }, deletedRowSchema);
    return rows.map(({ id }) => id);
  }
}

/** What removes everything that belongs to a credential, and remembers that it was there. */
export function buryStatements(id: AuthId, atMs: number): readonly Statement[] {
  return [
    ...removeStatements(id),
    statement("INSERT OR REPLACE INTO deleted_credential (id, deleted_at) VALUES (?, ?)", id, atMs),
    statement(FORGET_OLDEST, DELETED_MAX),
  ];
}

/** What removes everything that belongs to a credential. */
export function removeStatements(id: AuthId): Statement[] {
  return [
    statement("DELETE FROM secret WHERE credential_id = ?", id),
    statement("DELETE FROM rotation WHERE credential_id = ?", id),
    statement("DELETE FROM move WHERE credential_id = ?", id),
  ];
}

/** The statement that makes an edit on disk. */
export function secretStatement(edit: SecretEdit): Statement {
  switch (edit.kind) {
    case "add":
      return addStatement(edit.row);
    case "bind":
      return statement(BIND, edit.clientId, edit.id);
    case "rebind":
      return statement(REBIND, edit.id, edit.clientId, edit.from);
    case "grace":
      return statement(GRACE, edit.id, edit.atMs, edit.endsAtMs);
    case "activate":
      return statement(ACTIVATE, edit.id, edit.atMs);
    case "revoke":
      return statement(REVOKE, edit.id, edit.atMs);
    case "used":
      return statement(USED, edit.atMs, edit.id);
    case "remove":
      return statement("DELETE FROM secret WHERE id = ?", edit.id);
    case "rotation":
      return rotationStatement(edit.row);
    case "shift":
    case "shifted":
    case "clearShifts":
      return shiftStatement(edit);
  }
}

function shiftStatement(edit: ShiftEdit): Statement {
  switch (edit.kind) {
    case "shift": {
      const { credential_id, client_id, state, reason, secret_id, changed_at } = edit.row;
      return statement(SHIFT, credential_id, client_id, state, reason, secret_id, changed_at);
    }
    case "shifted": {
      const { to, credential, client, secret } = edit;
      return statement(SHIFTED, to.state, to.reason, to.changed_at, credential, client, secret);
    }
    case "clearShifts":
      return edit.client === undefined
        ? statement("DELETE FROM move WHERE credential_id = ?", edit.credential)
        : statement(UNSHIFT, edit.credential, edit.client);
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
