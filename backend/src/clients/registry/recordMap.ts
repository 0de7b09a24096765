import type { AuthId, ClientId } from "@rport/protocol/ids";
import type { Limits } from "../../limits/limits.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";
import { Likeness } from "./likeness.ts";
import { RecordIndex } from "./recordIndex.ts";
import { RecordRoom } from "./recordRoom.ts";

/** What the map of records needs. */
export interface RecordMapDeps {
  readonly isConnected: (id: ClientId) => boolean;
  /** Marks clients whose likeness is not what it was. */
  readonly touch: (entity: "client", id: string) => void;
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
}

/** The records in memory, with what is looked up in them. */
export class RecordMap {
  readonly #deps: RecordMapDeps;
  readonly #records = new Map<ClientId, ClientRecord>();
  readonly #index = new RecordIndex();
  /** What the records take. */
  readonly room: RecordRoom;
  readonly #likeness: Likeness;

  constructor(deps: RecordMapDeps) {
    this.#deps = deps;
    this.room = new RecordRoom(deps.limits);
    this.#likeness = new Likeness((id) => {
      const record = this.#records.get(id);
      return record && { record, connected: deps.isConnected(id) };
    });
  }

  get size(): number {
    return this.#records.size;
  }

  get(id: ClientId): ClientRecord | undefined {
    return this.#records.get(id);
  }

  all(): Iterable<ClientRecord> {
    return this.#records.values();
  }

  /** The records that came in with a credential last. */
  of(id: AuthId): readonly ClientId[] {
    return this.#index.of(id);
  }

  /** How many there are of a credential. */
  countOf(id: AuthId): number {
    return this.#index.countOf(id);
  }

  /** The client whose earlier record this may be; see `Likeness.earlierOf`. */
  earlierOf(record: ClientRecord): ClientId | undefined {
    return this.#likeness.earlierOf(record);
  }

  /** Puts a record in the place of the one before, if there is one. */
  put(record: ClientRecord): void {
    const before = this.#records.get(record.id);
    if (before !== undefined) {
      this.#likeness.remove(before);
      if (before.client_auth_id !== record.client_auth_id) this.#index.remove(before);
    }
    this.#records.set(record.id, record);
    this.room.put(record);
    this.#index.add(record);
    this.#likeness.add(record);
    this.#touchAlike(record);
  }

  /** Takes a record out. */
  drop(id: ClientId): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#records.delete(id);
    this.room.drop(id);
    this.#index.remove(record);
    this.#likeness.remove(record);
    this.#touchAlike(record);
  }

  /** Whose earlier record this may be, or may be no longer. */
  #touchAlike(record: ClientRecord): void {
    for (const id of this.#likeness.others(record)) this.#deps.touch("client", id);
  }
}
