import type { AttributesChange } from "@rport/protocol/attributes";
import { RportError } from "@rport/protocol/errors";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { ClientPort, ClientRef, RoomLimit } from "../../credentials/ports.ts";
import type { Limits } from "../../limits/limits.ts";
import { type Clock, toTime } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { inSlices } from "../../platform/slices.ts";
import type { ForgetEdit } from "../../store/edits/clientEdit.ts";
import type { Edit } from "../../store/edits/edit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { ClientRecord, StoredTunnel } from "../../store/records/clientRecord.ts";
import type { LiveSession } from "../liveSession.ts";
import { awayRecord } from "./awayRecord.ts";
import { refOf } from "./clientRef.ts";
import { Duplicates } from "./duplicates.ts";
import { givenRecord } from "./givenRecord.ts";
import type { LocalPresence } from "./presence.ts";
import { type AdoptionPlan, RecordAdoptions } from "./recordAdoptions.ts";
import { type RecordChange, recordChange } from "./recordChange.ts";
import { RecordEdits } from "./recordEdits.ts";
import { RecordMap } from "./recordMap.ts";
import type { RecordRoom } from "./recordRoom.ts";
import { RecordWriter } from "./recordWriter.ts";
import { requireRemovable } from "./removable.ts";
import { returningRecord } from "./returning.ts";

/** What the registry needs. */
export interface ClientRegistryDeps {
  readonly store: EditStore;
  readonly presence: LocalPresence<LiveSession>;
  readonly clock: Clock;
  readonly log: Log;
  /** Marks clients whose likeness or duplicate is not what it was. */
  readonly touch: (entity: "client", id: string) => void;
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
}

/**
 * The record of every client there is. It follows the edits of the store; its own run ahead of the
 * disk by a moment, except those that take a record or a revocation away. What a login costs does
 * not depend on how many clients there are.
 */
export class ClientRegistry implements ClientPort {
  /** Hosts that claim the id of a client that is connected. */
  readonly duplicates: Duplicates;
  readonly #deps: ClientRegistryDeps;
  readonly #records: RecordMap;
  readonly #writer: RecordWriter;
  readonly #edits: RecordEdits;
  readonly #adoptions: RecordAdoptions;

  private constructor(deps: ClientRegistryDeps) {
    const { store, clock, log, touch, presence, limits } = deps;
    this.#deps = deps;
    this.duplicates = new Duplicates({ clock, touch });
    const isConnected = (id: ClientId) => presence.connected(id) !== undefined;
    this.#records = new RecordMap({ isConnected, touch, limits });
    const records = this.#records;
    const current = (id: ClientId) => records.get(id);
    const isHeld = (id: ClientId) => presence.locate(id) !== undefined;
    this.#writer = new RecordWriter({ store, clock, log, current });
    this.#edits = new RecordEdits({
      ...deps,
      records,
      writer: this.#writer,
      duplicates: this.duplicates,
    });
    this.#adoptions = new RecordAdoptions({ store, current, isHeld });
  }

  /** Loads the records. Nobody is connected at a start, whatever they say. */
  static async open(deps: ClientRegistryDeps): Promise<ClientRegistry> {
    const registry = new ClientRegistry(deps);
    await registry.#edits.open();
    return registry;
  }

  /** The record of a client. */
  record(id: ClientId): ClientRecord | undefined {
    return this.#records.get(id);
  }

  /** All records, in no particular order. */
  records(): Iterable<ClientRecord> {
    return this.#records.all();
  }

  /** The client whose earlier record this may be; see `Likeness`. */
  earlierOf(record: ClientRecord): ClientId | undefined {
    return this.#records.earlierOf(record);
  }

  get counts(): { readonly connected: number; readonly disconnected: number } {
    const connected = this.#deps.presence.count;
    return { connected, disconnected: this.#records.size - connected };
  }

  countOf(id: AuthId): { readonly total: number; readonly connected: number } {
    return { total: this.#records.countOf(id), connected: this.#deps.presence.countOf(id) };
  }

  idsOf(id: AuthId): Iterable<ClientId> {
    return this.#records.of(id);
  }

  clientsOf(id: AuthId): readonly ClientRef[] {
    return this.#records.of(id).flatMap((clientId) => this.clientOf(clientId) ?? []);
  }

  clientOf(id: ClientId): ClientRef | undefined {
    const record = this.#records.get(id);
    return record && refOf(record, this.#deps.presence.connected(id) !== undefined);
  }

  /** What the records take, and whether there is room for more. */
  get room(): RecordRoom {
    return this.#records.room;
  }

  whyNoRoom(id: AuthId): RoomLimit | undefined {
    return this.room.whyFull(id);
  }

  /**
   * The session registered: its client is connected, as `record` says. Answers with what is not as
   * it was.
   */
  connect(record: ClientRecord, session: LiveSession): RecordChange {
    const { store, presence, clock } = this.#deps;
    const { id } = record;
    const before = this.#recordNow(id);
    presence.register(id, session);
    const now = returningRecord(record, before, toTime(clock.now()));
    const change = recordChange(now, before);
    store.announce([{ kind: "seen", record: now, former: change.formerCredential }]);
    return change;
  }

  /** The connection is gone. Its client stays known, as disconnected, unless another one took over. */
  disconnect(session: LiveSession): void {
    const { store, presence } = this.#deps;
    const { clientId: id } = session;
    const isLast = id !== undefined && presence.connected(id) === session;
    const record = isLast ? this.#recordNow(id) : undefined;
    presence.release(session);
    if (record !== undefined) store.announce([{ kind: "seen", record }]);
  }

  /** The client's record belongs to another secret of its credential now. */
  adoptSecret(id: ClientId, secretId: SecretId): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#deps.store.announce([{ kind: "stand", record: { ...record, secret_id: secretId } }]);
  }

  /** The tunnels remembered for a client. */
  tunnelsOf(id: ClientId): readonly StoredTunnel[] {
    return this.#records.get(id)?.tunnels ?? [];
  }

  /** Remembers these tunnels, and no others, for a client. */
  keepTunnels(id: ClientId, tunnels: readonly StoredTunnel[]): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#deps.store.announce([{ kind: "tunnels", record: { ...record, tunnels: [...tunnels] } }]);
  }

  /** Resolves when what is remembered of the client would survive a power cut. */
  save(id: ClientId): Promise<void> {
    return this.#writer.save(id);
  }

  /** Fails when the record of the client cannot be removed; see `requireRemovable`. */
  requireRemovable(id: ClientId): void {
    const record = this.#need(id, "There is no such client.");
    requireRemovable(record, this.#deps.presence.locate(id) !== undefined);
  }

  /** Removes the record of a client that is neither connected nor revoked, with its tunnels. */
  remove(id: ClientId): Promise<void> {
    return this.#inTurn(id, async () => {
      this.requireRemovable(id);
      await this.#remove([id]);
    });
  }

  async purge(id: AuthId): Promise<void> {
    const ids = this.clientsOf(id).flatMap((client) => (client.isRevoked ? [] : [client.id]));
    const { presence, clock } = this.#deps;
    const sessions = ids.flatMap((clientId) => presence.connected(clientId) ?? []);
    await inSlices(sessions, { clock }, (session) => session.dismiss("the client was removed"));
    if (ids.length > 0) await this.#remove(ids);
  }

  /** Runs ahead of the disk: nobody comes in as the client while the mark is being written. */
  revoke(id: ClientId, cut: () => Promise<void>): Promise<void> {
    const { store, clock } = this.#deps;
    return this.#alone(id, async (record) => {
      const revoked_at = record.revoked_at ?? toTime(clock.now());
      store.announce([{ kind: "revokeClient", record: { ...record, revoked_at } }]);
      const cutting = cut();
      try {
        await this.#writer.save(id);
      } finally {
        await cutting;
      }
    });
  }

  /** Nobody gets in on the word of a disk that then refuses: the mark goes when it is off the disk. */
  allow(id: ClientId): Promise<void> {
    return this.#commit(id, (record) => {
      if (record.revoked_at === null) return undefined;
      return { kind: "allowClient", record: { ...record, revoked_at: null } };
    });
  }

  /** From now on these groups of users, and no others, may see the client; durable when it resolves. */
  setAcl(id: ClientId, groups: readonly string[]): Promise<void> {
    return this.#commit(id, (record) => {
      return { kind: "acl", record: { ...record, allowed_user_groups: [...groups] } };
    });
  }

  /**
   * Gives the client a name, tags or labels, durably: what is undefined stays, null believes the agent again.
   * Fails with `CONFLICT` when the record would be too large.
   */
  give(id: ClientId, change: AttributesChange): Promise<void> {
    return this.#commit(id, (record) => ({ kind: "give", record: givenRecord(record, change) }));
  }

  /** The record `from` goes into that of `to`, durably; see `RecordAdoptions.adopt`. */
  adopt(to: ClientId, from: ClientId, plan: AdoptionPlan): Promise<void> {
    return this.#adoptions.adopt(to, from, plan);
  }

  /** Resolves when an adoption that one of these records is part of has ended; undefined: there is none. */
  adopting(...ids: readonly ClientId[]): Promise<void> | undefined {
    return this.#adoptions.of(...ids);
  }

  /** Writes what is not on disk yet. */
  async close(): Promise<void> {
    this.duplicates.close();
    await this.#writer.close();
  }

  /** The record as it would be if the client's connection ended now. */
  #recordNow(id: ClientId): ClientRecord | undefined {
    const { presence, clock } = this.#deps;
    const record = this.#records.get(id);
    const session = presence.connected(id);
    return record && session ? awayRecord(record, session, clock.now()) : record;
  }

  /** Makes an edit of the record durable, with nothing else of it on its way to the disk. */
  #commit(id: ClientId, editOf: (record: ClientRecord) => Edit | undefined): Promise<void> {
    return this.#alone(id, async (record) => {
      if (editOf(record) === undefined) return;
      await this.#writer.pause([id], async () => {
        const edit = editOf(this.#records.get(id) ?? record);
        if (edit !== undefined) await this.#deps.store.commit([edit]);
      });
    });
  }

  async #remove(ids: readonly ClientId[]): Promise<void> {
    const edits = ids.flatMap((client): ForgetEdit[] => {
      const record = this.#records.get(client);
      return record ? [{ kind: "forget", client, credential: record.client_auth_id }] : [];
    });
    await this.#writer.pause(ids, () => this.#deps.store.commit(edits));
  }

  #need(id: ClientId, otherwise: string): ClientRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new RportError("NOT_FOUND", otherwise);
    return record;
  }

  /** Runs the job when it is the record's turn, and when no adoption is under way that it is part of. */
  #alone(id: ClientId, job: (record: ClientRecord) => Promise<void>): Promise<void> {
    return this.#inTurn(id, async () => {
      for (let one = this.adopting(id); one; one = this.adopting(id)) await one;
      await job(this.#need(id, "There is no such client any more."));
    });
  }

  /** Revocations and removals of one client take turns. */
  #inTurn<T>(id: ClientId, job: () => Promise<T>): Promise<T> {
    return this.#deps.store.turn(`client ${id}`, job);
  }
}
