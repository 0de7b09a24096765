import { RportError } from "@rport/protocol/errors";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Client } from "@rport/protocol/model";
import type { ClientRef, SessionPort } from "../../credentials/ports.ts";
import { type Clock, toTime, toTimeOrNull } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { Turns } from "../../platform/turns.ts";
import type { ClientRecord, StoredTunnel } from "../../store/clientRecord.ts";
import type { LiveSession } from "../liveSession.ts";
import { type RecordFacts, refOf, viewOf } from "./clientView.ts";
import { CredentialIndex } from "./credentialIndex.ts";
import { Duplicates } from "./duplicates.ts";
import { Likeness } from "./likeness.ts";
import { type RecordChange, recordChange } from "./recordChange.ts";
import type { RecordMove } from "./recordMove.ts";
import { type RecordRows, RecordWriter } from "./recordWriter.ts";
import { requireRemovable } from "./removable.ts";
import { returningRecord } from "./returning.ts";

/** What the registry needs. */
export interface RegistryDeps extends RecordFacts {
  readonly rows: RecordRows;
  readonly clock: Clock;
  readonly log: Log;
  readonly touch: (entity: "client" | "credential" | "server", id: string) => void;
  /** A record of this credential was removed. */
  readonly onRecordRemoved?: (id: AuthId, client: ClientId) => void;
  /** A client of this credential came in with another one. */
  readonly onRecordLeft?: (id: AuthId) => void;
  /** A client that was let in has a record of the credential now. */
  readonly onRecordJoined?: (authId: AuthId, id: ClientId) => void;
}

interface Entry {
  record: ClientRecord;
  /** The connection this client is known to be behind; undefined while it is disconnected. */
  session: LiveSession | undefined;
  /** When it was last heard of on an earlier connection. */
  lastHeardAtMs: number | null;
}

/**
 * Every client there is, and which of them are connected: records in memory, written behind.
 * What a login costs does not depend on how many clients there are.
 */
export class ClientRegistry implements SessionPort {
  /** Hosts that claim the id of a client that is connected. */
  readonly duplicates: Duplicates;
  readonly #deps: RegistryDeps;
  readonly #entries = new Map<ClientId, Entry>();
  /** Who may speak for a client id, from before its admission on. */
  readonly #holders = new Map<ClientId, LiveSession>();
  readonly #index = new CredentialIndex();
  readonly #likeness: Likeness;
  readonly #writer: RecordWriter;
  /** Revocations and removals of one client. */
  readonly #turns = new Turns<ClientId>();
  /** Records that are being moved into one another; nobody joins as one of them meanwhile. */
  readonly #moving = new Map<ClientId, Promise<void>>();
  #connected = 0;

  private constructor(deps: RegistryDeps) {
    this.#deps = deps;
    this.duplicates = new Duplicates(deps);
    this.#likeness = new Likeness((id) => {
      const entry = this.#entries.get(id);
      return entry && { record: entry.record, connected: entry.session !== undefined };
    });
    const current = (id: ClientId) => this.#entries.get(id)?.record;
    this.#writer = new RecordWriter({ ...deps, current });
  }

  /** Loads the records. Nobody is connected at a start, whatever they say. */
  static async open(deps: RegistryDeps): Promise<ClientRegistry> {
    const registry = new ClientRegistry(deps);
    for (const record of await deps.rows.all()) registry.#load(record);
    return registry;
  }

  /** The client as people see it. */
  get(id: ClientId): Client | undefined {
    const entry = this.#entries.get(id);
    return entry === undefined ? undefined : this.#view(entry);
  }

  /** All clients, in no particular order. */
  list(): Client[] {
    return [...this.#entries.values()].map((entry) => this.#view(entry));
  }

  get counts(): { readonly connected: number; readonly disconnected: number } {
    return { connected: this.#connected, disconnected: this.#entries.size - this.#connected };
  }

  /** Fails when the record of the client cannot be removed; see `requireRemovable`. */
  requireRemovable(id: ClientId): void {
    const { record } = this.#need(id, "There is no such client.");
    requireRemovable(record, this.#holders.has(id));
  }

  /** Removes the record of a client that is neither connected nor revoked, with its tunnels. */
  remove(id: ClientId): Promise<void> {
    return this.#turns.run(id, async () => {
      this.requireRemovable(id);
      await this.#removeRows([id]);
    });
  }

  /**
   * Moves the record `from` into that of `to`, durably. Fails with `NOT_FOUND`, with `CONFLICT`
   * when the two cannot be merged, or with `DISK_FULL`;
   * then both are as they were.
   */
  async move(to: ClientId, from: ClientId, { edits, merge }: RecordMove): Promise<void> {
    for (let move = this.#moveOf(to, from); move; move = this.#moveOf(to, from)) await move;
    const target = this.#need(to, "There is no such client.");
    const source = this.#need(from, "There is no client whose record could be moved here.");
    const before = target.record;
    const merged = merge(before, {
      record: source.record,
      isConnected: this.#holders.has(from),
    });
    target.record = merged;
    this.#drop(source);
    this.#touch("client", to);
    const done = this.#writer.move(merged, from, edits);
    const settled = done.catch(() => this.#takeBack(before, merged, source));
    for (const id of [to, from]) this.#moving.set(id, settled);
    await settled;
    for (const id of [to, from]) this.#moving.delete(id);
    await done;
    // Somebody deleted the client at the very moment: its row came back with the move.
    if (!this.#entries.has(to)) await this.#writer.remove([to]);
    this.#deps.onRecordRemoved?.(source.record.client_auth_id, from);
  }

  /** Resolves when a move that the client's record is part of has ended; undefined: there is none. */
  moving(id: ClientId): Promise<void> | undefined {
    return this.#moving.get(id);
  }

  /** The registered session of a client, or undefined while it is disconnected. */
  live(id: ClientId): LiveSession | undefined {
    return this.#entries.get(id)?.session;
  }

  /** Registered sessions, each once. */
  *liveSessions(): Iterable<LiveSession> {
    for (const { session } of this.#entries.values()) if (session !== undefined) yield session;
  }

  /** A connection signed in: from now on whoever cuts its credential cuts it. */
  addSession(session: LiveSession): void {
    this.#index.addSession(session);
  }

  /** Who speaks for a client id now, registered or about to be. */
  holder(id: ClientId): LiveSession | undefined {
    return this.#holders.get(id);
  }

  /** From now on `session` speaks for the id. The holder before has to be closed already. */
  hold(id: ClientId, session: LiveSession): void {
    this.#holders.set(id, session);
  }

  /**
   * The session registered: its client is connected, as `record` says. Answers with what is not as
   * it was.
   */
  connect(record: ClientRecord, session: LiveSession): RecordChange {
    const { id, client_auth_id: authId } = record;
    const before = this.#entries.get(id);
    if (before !== undefined) {
      this.#disconnect(before);
      this.#likeness.remove(before.record);
      if (before.record.client_auth_id !== authId) this.#leave(before.record.client_auth_id, id);
    }
    const now = returningRecord(record, before?.record, toTime(this.#deps.clock.now()));
    this.#entries.set(id, { record: now, session, lastHeardAtMs: before?.lastHeardAtMs ?? null });
    this.#index.addRecord(authId, id);
    this.#likeness.add(now);
    this.#index.shiftConnected(authId, 1);
    this.#deps.onRecordJoined?.(authId, id);
    this.#connected += 1;
    this.#changed(id, authId);
    this.#touchAlike(now);
    return recordChange(now, before?.record);
  }

  /** The connection is gone. Its client stays known, as disconnected, unless another one took over. */
  end(session: LiveSession): void {
    this.#index.removeSession(session);
    const id = session.clientId;
    if (id === undefined) return;
    if (this.#holders.get(id) === session) this.#holders.delete(id);
    const entry = this.#entries.get(id);
    if (entry?.session !== session) return;
    this.#disconnect(entry);
    this.#changed(id, entry.record.client_auth_id);
    this.#touchAlike(entry.record);
  }

  /** The client's record belongs to another secret of its credential now. */
  adoptSecret(id: ClientId, secretId: SecretId): void {
    this.#replace(id, { secret_id: secretId });
  }

  /** The tunnels remembered for a client. */
  tunnelsOf(id: ClientId): readonly StoredTunnel[] {
    return this.#entries.get(id)?.record.tunnels ?? [];
  }

  /** Remembers these tunnels, and no others, for a client. */
  keepTunnels(id: ClientId, tunnels: readonly StoredTunnel[]): void {
    this.#replace(id, { tunnels: [...tunnels] });
  }

  /** Resolves when what is remembered of the client would survive a power cut. */
  saved(id: ClientId): Promise<void> {
    return this.#writer.save(id);
  }

  ofCredential(id: AuthId): readonly LiveSession[] {
    return this.#index.sessionsOf(id);
  }

  countOf(id: AuthId): { readonly total: number; readonly connected: number } {
    return this.#index.countOf(id);
  }

  clientsOf(id: AuthId): readonly ClientRef[] {
    return this.#index.recordsOf(id).flatMap((clientId) => this.clientOf(clientId) ?? []);
  }

  clientOf(id: ClientId): ClientRef | undefined {
    const entry = this.#entries.get(id);
    return entry === undefined ? undefined : refOf(entry.record, entry.session !== undefined);
  }

  sessionsOf(id: ClientId): readonly LiveSession[] {
    const holder = this.#holders.get(id);
    return holder === undefined ? [] : [holder];
  }

  setRevoked(id: ClientId, isRevoked: boolean): Promise<void> {
    return this.#turns.run(id, () => this.#setRevoked(id, isRevoked));
  }

  async #setRevoked(id: ClientId, isRevoked: boolean): Promise<void> {
    for (let move = this.#moveOf(id); move; move = this.#moveOf(id)) await move;
    const { record } = this.#need(id, "There is no such client any more.");
    if (isRevoked) {
      const revokedAt = record.revoked_at ?? toTime(this.#deps.clock.now());
      this.#replace(id, { revoked_at: revokedAt });
      await this.#writer.save(id);
      return;
    }
    if (record.revoked_at === null) return;
    // Nobody gets in on the word of a disk that then refuses.
    await this.#writer.save(id, { ...record, revoked_at: null });
    this.#replace(id, { revoked_at: null });
  }

  async purge(id: AuthId): Promise<void> {
    const ids = this.clientsOf(id).flatMap((client) => (client.isRevoked ? [] : [client.id]));
    for (const clientId of ids) {
      this.#entries.get(clientId)?.session?.cut("the client was removed");
    }
    if (ids.length > 0) await this.#removeRows(ids);
  }

  /** Writes what is not on disk yet. */
  async close(): Promise<void> {
    this.duplicates.close();
    await this.#writer.flush();
  }

  #moveOf(...ids: readonly ClientId[]): Promise<void> | undefined {
    return ids.map((id) => this.#moving.get(id)).find((move) => move !== undefined);
  }

  /** Off the disk first; who came back or was revoked meanwhile has a record again. */
  async #removeRows(ids: readonly ClientId[]): Promise<void> {
    const authIdOf = (id: ClientId) => this.#entries.get(id)?.record.client_auth_id;
    const before = ids.map((id) => ({ id, authId: authIdOf(id) }));
    await this.#writer.remove(ids);
    for (const { id, authId } of before) {
      const isBack = this.#holders.get(id)?.isClosed === false || authIdOf(id) !== authId;
      if (isBack || this.clientOf(id)?.isRevoked === true) this.#writer.mark(id);
      else this.#forget(id);
    }
  }

  #need(id: ClientId, otherwise: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new RportError("NOT_FOUND", otherwise);
    return entry;
  }

  /** Both records as they were, save what happened to `before` meanwhile. */
  #takeBack(before: ClientRecord, merged: ClientRecord, from: Entry): void {
    const own = new Set(before.tunnels.map(({ id }) => id));
    const moved = new Set(merged.tunnels.map(({ id }) => id).filter((id) => !own.has(id)));
    const tunnels = this.tunnelsOf(before.id).filter(({ id }) => !moved.has(id));
    const { name, tags, labels, adopted } = before;
    this.#replace(before.id, { name, tags, labels, adopted, tunnels });
    this.#entries.set(from.record.id, from);
    this.#likeness.add(from.record);
    this.#index.addRecord(from.record.client_auth_id, from.record.id);
    this.#changed(from.record.id, from.record.client_auth_id);
  }

  #load(stored: ClientRecord): void {
    const isStale = stored.disconnected_at === null;
    const disconnectedAt = isStale ? toTime(this.#deps.clock.now()) : stored.disconnected_at;
    // One that was connected when the server ended was so until then, as far as anybody can tell.
    const heardAt = isStale ? disconnectedAt : stored.heard_at;
    const record = { ...stored, disconnected_at: disconnectedAt, heard_at: heardAt };
    this.#likeness.add(record);
    this.#entries.set(record.id, { record, session: undefined, lastHeardAtMs: null });
    this.#index.addRecord(record.client_auth_id, record.id);
    if (isStale) this.#writer.mark(record.id);
  }

  #disconnect(entry: Entry): void {
    if (entry.session === undefined) return;
    entry.lastHeardAtMs = entry.session.lastHeardAtMs ?? entry.lastHeardAtMs;
    entry.session = undefined;
    const { connected_at: connectedAt } = entry.record;
    const heard_at = toTimeOrNull(entry.lastHeardAtMs) ?? connectedAt;
    const disconnected_at = toTime(this.#deps.clock.now());
    entry.record = { ...entry.record, disconnected_at, heard_at };
    this.#index.shiftConnected(entry.record.client_auth_id, -1);
    this.#connected -= 1;
  }

  #forget(id: ClientId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#disconnect(entry);
    this.#drop(entry);
    this.#deps.onRecordRemoved?.(entry.record.client_auth_id, id);
  }

  #drop({ record }: Entry): void {
    const { id, client_auth_id: authId } = record;
    this.duplicates.forget(id);
    this.#entries.delete(id);
    this.#index.removeRecord(authId, id);
    this.#likeness.remove(record);
    this.#touchAll(id, authId);
    this.#touchAlike(record);
  }

  #leave(authId: AuthId, id: ClientId): void {
    this.#index.removeRecord(authId, id);
    this.#touch("credential", authId);
    this.#deps.onRecordLeft?.(authId);
  }

  #replace(id: ClientId, change: Partial<ClientRecord>): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.record = { ...entry.record, ...change };
    this.#writer.mark(id);
    this.#touch("client", id);
  }

  #changed(id: ClientId, authId: AuthId): void {
    this.#writer.mark(id);
    this.#touchAll(id, authId);
  }

  #touchAll(id: ClientId, authId: AuthId): void {
    this.#touch("client", id);
    this.#touch("credential", authId);
    this.#touch("server", "");
  }

  /** Whose earlier record this may be, or may be no longer. */
  #touchAlike(record: ClientRecord): void {
    for (const id of this.#likeness.others(record)) this.#touch("client", id);
  }

  #touch(entity: "client" | "credential" | "server", id: string): void {
    this.#deps.touch(entity, id);
  }

  #view({ record, session, lastHeardAtMs }: Entry): Client {
    return viewOf(record, {
      ...this.#deps,
      isConnected: session !== undefined,
      heardAtMs: session?.lastHeardAtMs ?? lastHeardAtMs,
      looksLike: this.#likeness.earlierOf(record),
      duplicate: this.duplicates.get(record.id),
    });
  }
}
