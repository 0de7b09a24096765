import type { AuthId, ClientId } from "@rport/protocol/ids";
import type { ClientRecord } from "../records/clientRecord.ts";

/**
 * One change of a client's record. Each carries the record as it is afterwards, which is what is
 * written; its kind tells what is not as it was.
 */
export type ClientEdit =
  | SeenEdit
  /** It stands on another secret of its credential. */
  | { readonly kind: "stand"; readonly record: ClientRecord }
  /** Other tunnels are remembered for it. */
  | { readonly kind: "tunnels"; readonly record: ClientRecord }
  /** No secret lets it in any more. */
  | { readonly kind: "revokeClient"; readonly record: ClientRecord }
  | { readonly kind: "allowClient"; readonly record: ClientRecord }
  /** Other groups of users may see it. */
  | { readonly kind: "acl"; readonly record: ClientRecord }
  /** People gave it another name, other tags or labels. */
  | { readonly kind: "give"; readonly record: ClientRecord }
  | AdoptEdit
  | ForgetEdit;

/** The client came or went. */
export interface SeenEdit {
  readonly kind: "seen";
  readonly record: ClientRecord;
  /** The credential that it came in with before, if that was another one. */
  readonly former?: AuthId | undefined;
}

/** The record has taken over that of an earlier id of the same host, which is gone. */
export interface AdoptEdit {
  readonly kind: "adopt";
  readonly record: ClientRecord;
  readonly from: ClientName;
}

/** The record is gone. */
export interface ForgetEdit extends ClientName {
  readonly kind: "forget";
}

/** A record by its id, and the credential it came in with last. */
export interface ClientName {
  readonly client: ClientId;
  readonly credential: AuthId;
}

const KINDS = {
  seen: true,
  stand: true,
  tunnels: true,
  revokeClient: true,
  allowClient: true,
  acl: true,
  give: true,
  adopt: true,
  forget: true,
} satisfies Readonly<Record<ClientEdit["kind"], true>>;

/** Whether the edit changes a client's record. */
export function isClientEdit(edit: { readonly kind: string }): edit is ClientEdit {
  return Object.hasOwn(KINDS, edit.kind);
}

/** What an edit of one member changes of a record; undefined: it is about the whole record. */
export function memberChanged(edit: ClientEdit): Partial<ClientRecord> | undefined {
  switch (edit.kind) {
    case "stand":
      return { secret_id: edit.record.secret_id };
    case "tunnels":
      return { tunnels: edit.record.tunnels };
    case "revokeClient":
    case "allowClient":
      return { revoked_at: edit.record.revoked_at };
    case "acl":
      return { allowed_user_groups: edit.record.allowed_user_groups };
    default:
      return undefined;
  }
}
