import { type Change, ENTITY_NAMES, type Entity, type EntityValue } from "@rport/protocol/events";
import type { ServerStatus } from "@rport/protocol/model";
import { type Clock, type Timer, toTime } from "../platform/clock.ts";
import { loggedFault } from "../platform/faults.ts";
import { errorText, type Log } from "../platform/log.ts";
import { Audience } from "./audience.ts";
import { DeltaMessages } from "./delta.ts";
import { PIECE_BYTES, type Piece, type ShownThing, snapshotPieces } from "./pieces.ts";
import { EncodedServer, EncodedThing, ShownThings } from "./shownThings.ts";
import { EVERYTHING, type Sight } from "./sight.ts";
import { SnapshotRoom } from "./snapshotRoom.ts";
import type { Watcher } from "./watcher.ts";

/** What can change: one of many things of a kind, or the server itself. */
export type Touchable = Change["entity"];

/** Marks a thing as changed. For `server` the id is ignored; a tunnel's is `<client>/<tunnel>`. */
export type Touch = (entity: Touchable, id: string) => void;

/** Where the hub reads what a thing looks like now. */
export interface Lookup<T> {
  /** The ids of all of them. It may be read over many turns, while things come and go. */
  ids(): Iterable<string>;
  /** Undefined: it is gone. */
  get(id: string): T | undefined;
}

/** Where the things of each kind are read. */
export type EntitySources = { readonly [E in Entity]: Lookup<EntityValue<E>> };

/** Everything that watchers see. */
export interface EventSources extends EntitySources {
  readonly server: () => ServerStatus;
}

/** What the hub works with. */
export interface HubDeps {
  readonly sources: EventSources;
  readonly clock: Clock;
  readonly log: Log;
  /** Deltas that are kept for a watcher that reads slowly. */
  readonly backlogMaxBytes: number;
  /** One was further behind than that. */
  readonly onLost?: () => void;
  /** Where the snapshots of all watchers are counted; undefined: nobody counts them. */
  readonly room?: SnapshotRoom;
}

/** Marks are gathered this long, so that a burst of changes of one thing is told once. */
const GATHER_MS = 50;
/** Changes per message: a storm is told in pieces that a watcher can take in between. */
const CHANGES_MAX = 1_000;
/** Wait between two such pieces. */
const NEXT_PIECE_MS = 10;

/**
 * Tells watchers what changes: a snapshot first, then deltas that carry each changed thing whole.
 * The work of a delta grows with what changed, not with what there is, and none is done while
 * nobody watches. A thing that cannot be read or encoded is missing, and nothing else is.
 */
export class EventHub {
  readonly #deps: HubDeps;
  /** By what they may see; none is empty. */
  readonly #audiences = new Map<Sight, Audience>();
  readonly #dirty = new Map<string, readonly [Touchable, string]>();
  readonly #room = new SnapshotRoom({ maxBytes: Number.POSITIVE_INFINITY });
  #timer: Timer | undefined;
  #seq = 0;

  constructor(deps: HubDeps) {
    this.#deps = deps;
  }

  /** Marks a thing as changed; watchers get its value of a moment later. */
  readonly touch: Touch = (entity, id) => {
    if (this.#audiences.size === 0) return;
    this.#dirty.set(`${entity} ${id}`, [entity, id]);
    this.#timer ??= this.#deps.clock.after(GATHER_MS, () => this.#flush());
  };

  /** Sends the watcher everything there is that it may see, and from then on what changes. */
  watch(watcher: Watcher, sight: Sight = EVERYTHING): void {
    const audience = this.#audiences.get(sight) ?? this.#audienceWith(sight);
    audience.add(watcher);
    this.#audiences.set(sight, audience);
  }

  /** Stops telling a watcher. */
  unwatch(watcher: Watcher): void {
    for (const audience of this.#audiences.values()) audience.delete(watcher);
    this.#forgetEmpty();
  }

  /** The watcher has room again. */
  resume(watcher: Watcher): void {
    for (const audience of this.#audiences.values()) audience.resume(watcher);
  }

  /** How many watch now. */
  get watchers(): number {
    return [...this.#audiences.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Forgets everything that was to be told. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dirty.clear();
  }

  #audienceWith(sight: Sight): Audience {
    const { clock, log, backlogMaxBytes, onLost = () => {}, room = this.#room } = this.#deps;
    const shown = new ShownThings(sight);
    return new Audience({
      seq: this.#seq,
      pieces: (seq) => this.#pieces(seq, shown),
      shown,
      backlogMaxBytes,
      onLost,
      room,
      clock,
      onFault: loggedFault(log, "what an editor is told"),
    });
  }

  #pieces(seq: number, shown: ShownThings): Iterator<Piece> {
    const { clock, sources } = this.#deps;
    const server = shown.server(sources.server());
    const facts = { seq, at: toTime(clock.now()), server };
    return snapshotPieces(facts, this.#things(shown));
  }

  *#things(shown: ShownThings): Generator<ShownThing> {
    for (const entity of ENTITY_NAMES) {
      for (const id of this.#deps.sources[entity].ids()) {
        const text = shown.textOf(this.#read(entity, id));
        if (text !== undefined) yield { entity, text };
      }
    }
  }

  #flush(): void {
    this.#timer = undefined;
    const changes = this.#takeChanges();
    if (this.#dirty.size > 0) {
      this.#timer = this.#deps.clock.after(NEXT_PIECE_MS, () => this.#flush());
    }
    if (changes.length === 0) return;
    this.#seq += 1;
    const messages = new DeltaMessages(toTime(this.#deps.clock.now()), changes);
    for (const audience of [...this.#audiences.values()]) audience.tell(messages);
    this.#forgetEmpty();
  }

  #takeChanges(): (EncodedServer | EncodedThing)[] {
    const changes: (EncodedServer | EncodedThing)[] = [];
    let size = 0;
    for (const [key, [entity, id]] of this.#dirty) {
      if (changes.length >= CHANGES_MAX || size >= PIECE_BYTES) break;
      this.#dirty.delete(key);
      const change =
        entity === "server"
          ? new EncodedServer(this.#deps.sources.server())
          : this.#read(entity, id);
      changes.push(change);
      size += change.text.length;
    }
    return changes;
  }

  #read(entity: Entity, id: string): EncodedThing {
    try {
      return new EncodedThing({ entity, id, value: this.#deps.sources[entity].get(id) });
    } catch (error) {
      this.#deps.log.error("something cannot be shown", { entity, id, reason: errorText(error) });
      return new EncodedThing({ entity, id, value: undefined });
    }
  }

  #forgetEmpty(): void {
    for (const [sight, { size }] of this.#audiences) {
      if (size === 0) this.#audiences.delete(sight);
    }
    if (this.#audiences.size === 0) this.close();
  }
}
