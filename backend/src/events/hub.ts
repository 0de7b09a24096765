import type { Change, Delta, Snapshot } from "@rport/protocol/events";
import type {
  Client,
  Credential,
  Join,
  Pairing,
  Refusal,
  ServerStatus,
  Tunnel,
} from "@rport/protocol/model";
import { type Clock, type Timer, toTime } from "../platform/clock.ts";

/** Kinds of things that watchers are told about. */
export type Entity = Change["entity"];

/** Marks a thing as changed. For `server` the id is ignored; a tunnel's is `<client>/<tunnel>`. */
export type Touch = (entity: Entity, id: string) => void;

/** Where the hub reads what a thing looks like now; undefined: it is gone. */
export interface Lookup<T> {
  list(): readonly T[];
  get(id: string): T | undefined;
}

/** Everything that watchers see. */
export interface EventSources {
  readonly server: () => ServerStatus;
  readonly client: Lookup<Client>;
  readonly credential: Lookup<Credential>;
  readonly tunnel: Lookup<Tunnel>;
  readonly pairing: Lookup<Pairing>;
  readonly join: Lookup<Join>;
  readonly refusal: Lookup<Refusal>;
}

/** Takes messages in order, each encoded once for all watchers. Never throws. */
export type Watcher = (message: string) => void;

/** Marks are gathered this long, so that a burst of changes of one thing is told once. */
const GATHER_MS = 50;
/** Changes per message: a storm is told in pieces that a watcher can take in between. */
const CHANGES_MAX = 1_000;
/** Wait between two such pieces. */
const NEXT_PIECE_MS = 10;

/**
 * Tells watchers what changes: a snapshot first, then deltas that carry each changed thing whole.
 * The work of a delta grows with what changed, not with what there is, and none is done while
 * nobody watches.
 */
export class EventHub {
  readonly #sources: EventSources;
  readonly #clock: Clock;
  readonly #watchers = new Set<Watcher>();
  readonly #dirty = new Map<string, readonly [Entity, string]>();
  #timer: Timer | undefined;
  #seq = 0;

  constructor(sources: EventSources, clock: Clock) {
    this.#sources = sources;
    this.#clock = clock;
  }

  /** Marks a thing as changed; watchers get its value of a moment later. */
  readonly touch: Touch = (entity, id) => {
    if (this.#watchers.size === 0) return;
    this.#dirty.set(`${entity} ${id}`, [entity, id]);
    this.#timer ??= this.#clock.after(GATHER_MS, () => this.#flush());
  };

  /** Sends the watcher everything there is, and from then on what changes. */
  watch(watcher: Watcher): void {
    watcher(JSON.stringify(this.#snapshot()));
    this.#watchers.add(watcher);
  }

  /** Stops telling a watcher. */
  unwatch(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size === 0) this.close();
  }

  /** How many watch now. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** Forgets everything that was to be told. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dirty.clear();
  }

  #snapshot(): Snapshot {
    const { server, client, credential, tunnel, pairing, join, refusal } = this.#sources;
    return {
      type: "snapshot",
      seq: this.#seq,
      at: toTime(this.#clock.now()),
      server: server(),
      clients: [...client.list()],
      credentials: [...credential.list()],
      tunnels: [...tunnel.list()],
      pairings: [...pairing.list()],
      joins: [...join.list()],
      refusals: [...refusal.list()],
    };
  }

  #flush(): void {
    this.#timer = undefined;
    const changes: Change[] = [];
    for (const [key, [entity, id]] of this.#dirty) {
      if (changes.length >= CHANGES_MAX) break;
      this.#dirty.delete(key);
      changes.push(this.#change(entity, id));
    }
    if (this.#dirty.size > 0) this.#timer = this.#clock.after(NEXT_PIECE_MS, () => this.#flush());
    if (changes.length === 0) return;
    this.#seq += 1;
    const delta: Delta = { type: "delta", seq: this.#seq, at: toTime(this.#clock.now()), changes };
    const message = JSON.stringify(delta);
    for (const watcher of [...this.#watchers]) watcher(message);
  }

  #change(entity: Entity, id: string): Change {
    if (entity === "server") return { entity, value: this.#sources.server() };
    // Each source answers with the values that belong to its entity.
    return { entity, id, value: this.#sources[entity].get(id) ?? null } as Change;
  }
}
