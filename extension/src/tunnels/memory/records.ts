import type { Log } from "../../support/log.ts";
import type { TunnelMemory } from "./memoryFile.ts";
import { type TunnelRecord, withRecord } from "./record.ts";

/** What records need. */
export interface RecordsDeps {
  readonly log: Log;
  /** What lasts; without it nothing does. */
  readonly memory?: TunnelMemory;
}

/** What is remembered of tunnels, as this process knows it; every change is written, too. */
export class Records {
  readonly #deps: RecordsDeps;
  readonly #byId = new Map<string, TunnelRecord>();
  #loading: Promise<void> | undefined;

  constructor(deps: RecordsDeps) {
    this.#deps = deps;
  }

  /** All of them, those that were opened first in front. */
  get all(): readonly TunnelRecord[] {
    return [...this.#byId.values()];
  }

  /** One by its tunnel's id. */
  get(id: string): TunnelRecord | undefined {
    return this.#byId.get(id);
  }

  /** Reads what is remembered, once. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /**
   * Adds a record, or replaces the one with its id. What is too much then is forgotten, the oldest first,
   * but nothing that is held.
   */
  async put(record: TunnelRecord, isHeld: (record: TunnelRecord) => boolean): Promise<void> {
    const { kept, dropped } = withRecord(this.all, record, isHeld);
    this.#byId.clear();
    for (const each of kept) this.#byId.set(each.id, each);
    for (const { id, clientId, localPort } of dropped) {
      const facts = { tunnel: id, clientId, localPort };
      this.#deps.log.warn("too many tunnels are remembered, so the oldest is forgotten", facts);
    }
    const gone = new Set(dropped.map(({ id }) => id));
    await this.#deps.memory?.change((records) => {
      const others = records.filter(({ id }) => !gone.has(id));
      return withRecord(others, record, isHeld).kept;
    });
  }

  /** Forgets a record; harmless when there is none. */
  async delete(id: string): Promise<void> {
    this.#byId.delete(id);
    await this.#deps.memory?.change((records) => {
      const kept = records.filter((each) => each.id !== id);
      return kept.length === records.length ? records : kept;
    });
  }

  async #load(): Promise<void> {
    const read = (await this.#deps.memory?.read()) ?? [];
    for (const record of read) {
      if (!this.#byId.has(record.id)) this.#byId.set(record.id, record);
    }
  }
}
