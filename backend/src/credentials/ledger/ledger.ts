import { RportError } from "@rport/protocol/errors";
import type { AuthId, SecretId } from "@rport/protocol/ids";
import type { Clock } from "../../platform/clock.ts";
import { RecentMap } from "../../platform/recentMap.ts";
import type { CredentialRecord } from "../../store/credentialRecord.ts";
import type { Document } from "../../store/document.ts";
import type { SecretEdit } from "../../store/secretEdit.ts";
import { DELETED_MAX, type SecretRows } from "../../store/secretRows.ts";
import { LiveCredential } from "./liveCredential.ts";

/** Where the ledger is kept. */
export interface LedgerStore {
  readonly document: Document;
  readonly secretRows: SecretRows;
  readonly clock: Clock;
}

/**
 * Every credential with its secrets: on disk first, then in memory, where logins look. Orders are
 * such that a crash between two steps leaves nothing that opens: secrets are there before their
 * credential, and a credential is marked before anything of it goes.
 */
export class Ledger {
  readonly #store: LedgerStore;
  readonly #live = new Map<AuthId, LiveCredential>();
  readonly #deleted = new RecentMap<string, true>(DELETED_MAX);
  /** Secrets that a failing disk kept; a later credential of the same name must not inherit them. */
  readonly #leftOver = new Set<SecretId>();

  #onChanged: (id: AuthId) => void = () => undefined;

  private constructor(store: LedgerStore) {
    this.#store = store;
  }

  /** Reads everything, and finishes what a crash interrupted. */
  static async open(store: LedgerStore): Promise<Ledger> {
    const ledger = new Ledger(store);
    for (const id of await store.secretRows.deleted()) ledger.#deleted.set(id, true);
    const isMarked = (record: CredentialRecord): boolean => record.state === "revoked";
    const marked = store.document.data.credentials.filter(isMarked);
    for (const record of marked) await ledger.#erase(record.id);
    for (const record of store.document.data.credentials) ledger.#enter(record);
    await ledger.#load();
    return ledger;
  }

  /** Calls back whenever a credential, or one of its secrets, is not what it was. */
  watch(onChanged: (id: AuthId) => void): void {
    this.#onChanged = onChanged;
  }

  /** The credential, also while it is being deleted. */
  get(id: AuthId): LiveCredential | undefined {
    return this.#live.get(id);
  }

  /** Whether a credential of this name was there, or is about to go. */
  wasDeleted(id: string): boolean {
    const live = this.#live.get(id as AuthId);
    return live === undefined ? this.#deleted.has(id) : live.record.state === "revoked";
  }

  /** The credential. Fails with `ERR_CODE_CLIENT_AUTH_NOT_FOUND`, also while it is being deleted. */
  need(id: AuthId): LiveCredential {
    const live = this.#live.get(id);
    if (live !== undefined && live.record.state === "active") return live;
    throw notFound();
  }

  /** All credentials by id. */
  all(): LiveCredential[] {
    return [...this.#live.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** The credential a secret belongs to. */
  ownerOf(secret: SecretId): LiveCredential | undefined {
    for (const live of this.#live.values()) {
      if (live.secret(secret) !== undefined) return live;
    }
    return undefined;
  }

  /** Changes secrets, all or none. They take effect once they would survive a power cut. */
  async edit(live: LiveCredential, edits: readonly SecretEdit[]): Promise<void> {
    await this.#store.secretRows.apply(edits);
    for (const edit of edits) live.apply(edit);
    if (edits.length > 0) this.#onChanged(live.id);
  }

  /** Adds a credential with its first secrets. Fails with `ERR_CODE_ALREADY_EXIST`. */
  async add(record: CredentialRecord, edits: readonly SecretEdit[]): Promise<LiveCredential> {
    this.#refuseTwin(this.#store.document.data.credentials, record.id);
    await this.#clearLeftOver();
    try {
      await this.#store.secretRows.apply(edits);
      await this.#store.document.update((data) => {
        this.#refuseTwin(data.credentials, record.id);
        return { ...data, credentials: [...data.credentials, record] };
      });
    } catch (caught) {
      await this.#forget(edits);
      throw caught;
    }
    const live = this.#enter(record);
    for (const edit of edits) live.apply(edit);
    return live;
  }

  /**
   * Changes a credential's record. It takes effect once it would survive a power cut. Fails with
   * `ERR_CODE_CLIENT_AUTH_NOT_FOUND` when the credential is deleted meanwhile.
   */
  async update(
    live: LiveCredential,
    change: (record: CredentialRecord) => CredentialRecord,
  ): Promise<void> {
    let changed = live.record;
    await this.#store.document.update((data) => ({
      ...data,
      credentials: data.credentials.map((record) => {
        if (record.id !== live.id) return record;
        if (this.need(live.id) !== live || record.state !== "active") throw notFound();
        changed = change(record);
        return changed;
      }),
    }));
    // A deletion that was written meanwhile stays.
    if (live.record.state === "active") live.replaceRecord(changed);
    this.#onChanged(live.id);
  }

  /**
   * From when this resolves on, also after a crash, nothing of the credential opens anything. Fails
   * with what `refuse` throws, which is asked at the last moment. After it nobody comes in, also
   * while the mark is not on disk yet, or when the disk refuses it.
   */
  async mark(live: LiveCredential, refuse: () => void = () => undefined): Promise<void> {
    const marked: CredentialRecord = { ...live.record, state: "revoked" };
    await this.#store.document.update((data) => {
      refuse();
      live.replaceRecord(marked);
      return {
        ...data,
        credentials: data.credentials.map((record) => (record.id === live.id ? marked : record)),
      };
    });
    live.replaceRecord(marked);
    this.#onChanged(live.id);
  }

  /** The same without the disk, for one that refuses; a restart takes it back. */
  markInMemory(live: LiveCredential): void {
    live.replaceRecord({ ...live.record, state: "revoked" });
    this.#onChanged(live.id);
  }

  /** Edits that only take away, without the disk, for one that refuses; a restart undoes them. */
  editInMemory(live: LiveCredential, edits: readonly SecretEdit[]): void {
    for (const edit of edits) live.apply(edit);
    this.#onChanged(live.id);
  }

  /** Removes a marked credential and its secrets. */
  async erase(live: LiveCredential): Promise<void> {
    await this.#erase(live.id);
    // A new credential of the same name may have taken the place already.
    if (this.#live.get(live.id) === live) this.#live.delete(live.id);
    this.#onChanged(live.id);
  }

  async #erase(id: AuthId): Promise<void> {
    await this.#store.secretRows.bury(id, this.#store.clock.now());
    this.#deleted.set(id, true);
    await this.#store.document.update((data) => ({
      ...data,
      credentials: data.credentials.filter((record) => record.id !== id),
    }));
  }

  #enter(record: CredentialRecord): LiveCredential {
    const live = new LiveCredential(record);
    this.#live.set(record.id, live);
    return live;
  }

  /** Secrets without a credential are what a crash during `add` leaves. */
  async #load(): Promise<void> {
    const orphans = new Set<AuthId>();
    for (const row of await this.#store.secretRows.all()) {
      const live = this.#live.get(row.credential_id);
      if (live === undefined) orphans.add(row.credential_id);
      else live.apply({ kind: "add", row });
    }
    for (const row of await this.#store.secretRows.rotations()) {
      const live = this.#live.get(row.credential_id);
      if (live === undefined) orphans.add(row.credential_id);
      else live.apply({ kind: "rotation", row });
    }
    for (const row of await this.#store.secretRows.shifts()) {
      const live = this.#live.get(row.credential_id);
      if (live === undefined) orphans.add(row.credential_id);
      else live.apply({ kind: "shift", row });
    }
    for (const id of orphans) await this.#store.secretRows.removeOf(id);
  }

  /** What stays behind when the disk fails here goes before the next `add`, or at the next start. */
  async #forget(edits: readonly SecretEdit[]): Promise<void> {
    for (const edit of edits) if (edit.kind === "add") this.#leftOver.add(edit.row.id);
    await this.#clearLeftOver().catch(() => undefined);
  }

  async #clearLeftOver(): Promise<void> {
    const ids = [...this.#leftOver];
    await this.#store.secretRows.apply(ids.map((id) => ({ kind: "remove", id })));
    for (const id of ids) this.#leftOver.delete(id);
  }

  #refuseTwin(records: readonly CredentialRecord[], id: AuthId): void {
    if (!records.some((record) => record.id === id)) return;
    throw new RportError("ERR_CODE_ALREADY_EXIST", `The credential "${id}" exists already.`);
  }
}

function notFound(): RportError {
  return new RportError("ERR_CODE_CLIENT_AUTH_NOT_FOUND", "There is no such credential.");
}
