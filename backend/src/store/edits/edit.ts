import type { AuthId } from "@rport/protocol/ids";
import { type ClientEdit, isClientEdit } from "./clientEdit.ts";
import type { CredentialEdit } from "./credentialEdit.ts";
import { isPersonEdit, type PersonEdit } from "./personEdit.ts";
import type { SecretEdit } from "./secretEdit.ts";

/**
 * One change of what lasts, as data: nothing durable changes in any other way. What an edit does is
 * the same on disk, in memory and on the screens of editors, because all of them follow the edits.
 */
export type Edit = SecretEdit | CredentialEdit | ClientEdit | PersonEdit;

/** The credential that an edit belongs to; undefined for edits of clients' records and of people. */
export function credentialOf(edit: Edit): AuthId | undefined {
  if (isClientEdit(edit) || isPersonEdit(edit)) return undefined;
  switch (edit.kind) {
    case "create":
      return edit.record.id;
    case "add":
    case "rotation":
    case "shift":
      return edit.row.credential_id;
    default:
      return edit.credential;
  }
}
