import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { RotationRow, SecretRow } from "../records/secretRow.ts";
import type { ShiftRow } from "../records/shiftRow.ts";

/** A secret by its id, and the credential it belongs to. */
export interface SecretName {
  readonly credential: AuthId;
  readonly id: SecretId;
}

/** An edit of a row that exists already; nothing when it is gone. */
export type RowEdit = SecretName & RowChange;

/** What becomes of a row. */
type RowChange =
  /** Only this client may use it from now on; nothing when it already has one. */
  | { readonly kind: "bind"; readonly clientId: ClientId }
  /** The host that has it has another id now; nothing when it is not its secret, or revoked. */
  | {
      readonly kind: "rebind";
      readonly from: ClientId;
      readonly clientId: ClientId;
    }
  /** Active secrets go to grace; what is in grace already gets this end instead of its own. */
  | {
      readonly kind: "grace";
      readonly atMs: number;
      readonly endsAtMs: number | null;
    }
  /** A secret in grace is as good as it was before; only grace ever sets an end. */
  | { readonly kind: "activate"; readonly atMs: number }
  | { readonly kind: "revoke"; readonly atMs: number }
  | { readonly kind: "used"; readonly atMs: number };

/** An edit of where clients stand in a rotation. */
export type ShiftEdit =
  | { readonly kind: "shift"; readonly row: ShiftRow }
  /** What came of an offer; nothing when the client has been offered another secret since. */
  | {
      readonly kind: "shifted";
      readonly client: ClientId;
      readonly credential: AuthId;
      readonly secret: SecretId;
      readonly to: Pick<ShiftRow, "state" | "reason" | "changed_at">;
    }
  /** Forgets where everybody, or one client, stood. */
  | {
      readonly kind: "clearShifts";
      readonly credential: AuthId;
      readonly client?: ClientId | undefined;
    };

/**
 * One change of a credential's secrets. Edits of different kinds touch different fields, and each
 * applies only where it still makes sense, so edits that are under way together do not undo each
 * other. Memory (`editRow`) and disk (`secretRows.ts`) follow the same rules.
 */
export type SecretEdit =
  | RowEdit
  | ShiftEdit
  | { readonly kind: "add"; readonly row: SecretRow }
  | (SecretName & { readonly kind: "remove" })
  | { readonly kind: "rotation"; readonly row: RotationRow };

/** The row after an edit. */
export function editRow(row: SecretRow, edit: RowEdit): SecretRow {
  switch (edit.kind) {
    case "bind":
      return row.client_id === null ? { ...row, client_id: edit.clientId } : row;
    case "rebind":
      return row.client_id === edit.from && row.state !== "revoked"
        ? { ...row, client_id: edit.clientId }
        : row;
    case "grace":
      return graceRow(row, edit);
    case "activate":
      return row.state === "grace"
        ? { ...row, state: "active", state_since: edit.atMs, expires_at: null }
        : row;
    case "revoke":
      return row.state === "revoked" ? row : { ...row, state: "revoked", state_since: edit.atMs };
    case "used":
      return { ...row, last_used_at: edit.atMs };
  }
}

function graceRow(row: SecretRow, edit: Extract<RowEdit, { kind: "grace" }>): SecretRow {
  if (row.state === "revoked") return row;
  return {
    ...row,
    state: "grace",
    state_since: row.state === "grace" ? row.state_since : edit.atMs,
    expires_at: row.state === "grace" ? edit.endsAtMs : sooner(row.expires_at, edit.endsAtMs),
  };
}

/** The earlier of two ends, where null is never. */
export function sooner(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
