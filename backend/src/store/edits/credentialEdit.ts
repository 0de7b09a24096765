import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { CredentialRecord } from "../records/credentialRecord.ts";
import { noSuchCredential } from "../records/noSuchCredential.ts";

/** Deleted credentials that are remembered. */
export const DELETED_MAX = 10_000;

/** What may change about a credential's record; what is absent stays, also among its limits. */
export interface RecordChanges {
  readonly label?: string | undefined;
  readonly kind?: CredentialRecord["kind"] | undefined;
  readonly limits?: Partial<CredentialRecord["limits"]>;
}

/** One change of a credential's record. */
export type CredentialEdit =
  /** A new one; its first secrets belong into the same commit, and are on disk before it. */
  | { readonly kind: "create"; readonly record: CredentialRecord }
  | { readonly kind: "change"; readonly credential: AuthId; readonly to: RecordChanges }
  /** From now on nothing of it opens anything. */
  | { readonly kind: "mark"; readonly credential: AuthId }
  /** It goes with all its secrets; that it was there is remembered. */
  | { readonly kind: "erase"; readonly credential: AuthId; readonly atMs: number };

const KINDS = {
  create: true,
  change: true,
  mark: true,
  erase: true,
} satisfies Readonly<Record<CredentialEdit["kind"], true>>;

/** Whether the edit changes a credential's record. */
export function isCredentialEdit(edit: { readonly kind: string }): edit is CredentialEdit {
  return Object.hasOwn(KINDS, edit.kind);
}

/**
 * The records after an edit. Throws `ERR_CODE_ALREADY_EXIST` for a new one whose id is taken, and
 * `ERR_CODE_CLIENT_AUTH_NOT_FOUND` for a change of one that is gone or going.
 */
export function editRecords(
  records: readonly CredentialRecord[],
  edit: CredentialEdit,
): CredentialRecord[] {
  switch (edit.kind) {
    case "create":
      refuseTwin(records, edit.record.id);
      return [...records, edit.record];
    case "change":
      requireActive(records, edit.credential);
      return replaced(records, edit.credential, (record) => changed(record, edit.to));
    case "mark":
      return replaced(records, edit.credential, marked);
    case "erase":
      return records.filter(({ id }) => id !== edit.credential);
  }
}

/** The record after a change. */
export function changed(record: CredentialRecord, to: RecordChanges): CredentialRecord {
  return {
    ...record,
    label: to.label ?? record.label,
    kind: to.kind ?? record.kind,
    limits: { ...record.limits, ...to.limits },
  };
}

/** The record of a credential that is being deleted. */
export function marked(record: CredentialRecord): CredentialRecord {
  return { ...record, state: "revoked" };
}

function replaced(
  records: readonly CredentialRecord[],
  id: AuthId,
  change: (record: CredentialRecord) => CredentialRecord,
): CredentialRecord[] {
  return records.map((record) => (record.id === id ? change(record) : record));
}

function refuseTwin(records: readonly CredentialRecord[], id: AuthId): void {
  if (!records.some((record) => record.id === id)) return;
  throw new RportError("ERR_CODE_ALREADY_EXIST", `The credential "${id}" exists already.`);
}

function requireActive(records: readonly CredentialRecord[], id: AuthId): void {
  if (records.some((record) => record.id === id && record.state === "active")) return;
  throw noSuchCredential();
}
