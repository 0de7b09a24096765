import type { AuthId, SecretId } from "@rport/protocol/ids";
import { RecentMap } from "../../platform/recentMap.ts";
import { isClientEdit } from "../../store/edits/clientEdit.ts";
import { changed, DELETED_MAX, marked } from "../../store/edits/credentialEdit.ts";
import type { Edit } from "../../store/edits/edit.ts";
import type { EditStore, StoredCredentials } from "../../store/edits/editStore.ts";
import { isPersonEdit } from "../../store/edits/personEdit.ts";
import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import type { CredentialRecord } from "../../store/records/credentialRecord.ts";
import { noSuchCredential } from "../../store/records/noSuchCredential.ts";
import { LedgerEntry } from "./ledgerEntry.ts";

/**
 * Every credential with its secrets, in memory, where logins look. It follows the edits of the store,
 * whoever makes them, and changes in no other way.
 */
export class Ledger {
  readonly #entries = new Map<AuthId, LedgerEntry>();
  readonly #deleted = new RecentMap<string, true>(DELETED_MAX);

  private constructor(stored: StoredCredentials) {
    for (const id of stored.deleted) this.#deleted.set(id, true);
    for (const record of stored.records) this.#enter(record);
    for (const row of stored.secrets) this.#applyTo(row.credential_id, { kind: "add", row });
    for (const row of stored.rotations) this.#applyTo(row.credential_id, { kind: "rotation", row });
    for (const row of stored.shifts) this.#applyTo(row.credential_id, { kind: "shift", row });
  }

  /** Reads everything, and follows what changes from then on. */
  static async open(store: Pick<EditStore, "readCredentials" | "follow">): Promise<Ledger> {
    const ledger = new Ledger(await store.readCredentials());
    store.follow((edits) => {
      for (const edit of edits) ledger.#follow(edit);
    });
    return ledger;
  }

  /** The credential, also while it is being deleted. */
  get(id: AuthId): LedgerEntry | undefined {
    return this.#entries.get(id);
  }

  /** Whether a credential of this name was there, or is about to go. */
  wasDeleted(id: string): boolean {
    const entry = this.#entries.get(id as AuthId);
    return entry === undefined ? this.#deleted.has(id) : entry.record.state === "revoked";
  }

  /** The credential. Fails with `ERR_CODE_CLIENT_AUTH_NOT_FOUND`, also while it is being deleted. */
  need(id: AuthId): LedgerEntry {
    const entry = this.#entries.get(id);
    if (entry !== undefined && entry.record.state === "active") return entry;
    throw noSuchCredential();
  }

  /** All credentials by id. */
  all(): LedgerEntry[] {
    return [...this.#entries.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** The credential a secret belongs to. */
  ownerOf(secret: SecretId): LedgerEntry | undefined {
    for (const entry of this.#entries.values()) {
      if (entry.secret(secret) !== undefined) return entry;
    }
    return undefined;
  }

  #follow(edit: Edit): void {
    if (isClientEdit(edit) || isPersonEdit(edit)) return;
    switch (edit.kind) {
      case "create":
        this.#enter(edit.record);
        return;
      case "change":
        this.#replace(edit.credential, (record) => changed(record, edit.to));
        return;
      case "mark":
        this.#replace(edit.credential, marked);
        return;
      case "erase":
        this.#entries.delete(edit.credential);
        this.#deleted.set(edit.credential, true);
        return;
      case "add":
      case "rotation":
      case "shift":
        this.#applyTo(edit.row.credential_id, edit);
        return;
      default:
        this.#applyTo(edit.credential, edit);
    }
  }

  #enter(record: CredentialRecord): void {
    this.#entries.set(record.id, new LedgerEntry(record));
  }

  #replace(id: AuthId, change: (record: CredentialRecord) => CredentialRecord): void {
    const entry = this.#entries.get(id);
    entry?.replaceRecord(change(entry.record));
  }

  #applyTo(id: AuthId, edit: SecretEdit): void {
    this.#entries.get(id)?.apply(edit);
  }
}
