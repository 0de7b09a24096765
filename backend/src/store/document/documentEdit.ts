import { type CredentialEdit, editRecords, isCredentialEdit } from "../edits/credentialEdit.ts";
import { editPeople, isPersonEdit, type PersonEdit } from "../edits/personEdit.ts";
import type { DocumentData } from "./documentData.ts";

/** An edit that is written into the document. */
export type DocumentEdit = CredentialEdit | PersonEdit;

/** Whether the edit is written into the document. */
export function isDocumentEdit(edit: { readonly kind: string }): edit is DocumentEdit {
  return isCredentialEdit(edit) || isPersonEdit(edit);
}

/** The document after an edit; throws as `editRecords` and `editPeople` do. */
export function editDocument(data: DocumentData, edit: DocumentEdit): DocumentData {
  if (isCredentialEdit(edit)) {
    return { ...data, credentials: editRecords(data.credentials, edit) };
  }
  const people = editPeople(data, edit);
  return {
    ...data,
    users: [...people.users],
    user_groups: [...people.user_groups],
    tokens: [...people.tokens],
    sessions: [...people.sessions],
    client_groups: [...people.client_groups],
  };
}
