import { type Clock, type Timer, toTime } from "../platform/clock.ts";
import { loggedFault } from "../platform/faults.ts";
import type { Log } from "../platform/log.ts";
import { Audience, type SharedByAudiences } from "./audience.ts";
import { Backlog } from "./backlog.ts";
import { Changes } from "./delta.ts";
import type { Encoded } from "./encodedThing.ts";
import { PIECE_BYTES } from "./pieces.ts";
import { Pump } from "./pump.ts";
import { RecentMessages } from "./recentMessages.ts";
import { Rests } from "./rests.ts";
import { ShownThings } from "./shownThings.ts";
import { EVERYTHING, type Sight } from "./sight.ts";
import type { SnapshotDeps } from "./snapshot.ts";
import { SnapshotMaker } from "./snapshotMaker.ts";
import { SnapshotRoom } from "./snapshotRoom.ts";
import type { EventSources, Touch, Touchable } from "./sources.ts";
import { Things } from "./things.ts";
import { TurnWork } from "./turnWork.ts";
import type { Watcher } from "./watcher.ts";

/** What the hub works with. */
export interface HubDeps {
  readonly sources: EventSources;
  readonly clock: Clock;
  readonly log: Log;
  /** Deltas that are kept for all watchers that read slowly. */
  readonly backlogMaxBytes: number;
  /** One was further behind than that. */
  readonly onLost?: () => void;
  /** What the snapshots of all watchers may have; undefined: as much as they like. */
  readonly snapshotMaxBytes?: number;
  /** They have more: somebody waits for another one, or is sent away for those who wait. */
  readonly onSnapshotsFull?: () => void;
}

/** Marks are gathered this long, so that a burst of changes of one thing is told once. */
const GATHER_MS = 50;
/** Changes per message: a storm is told in pieces that a watcher can take in between. */
const CHANGES_MAX = 1_000;
/** Wait between two such pieces. */
const NEXT_PIECE_MS = 10;
/** In one turn of the event loop so many changes are looked at, for all audiences together. */
const TURN_CHANGES = 4_096;

/**
 * Tells watchers what changes: a snapshot first, then deltas that carry each changed thing whole.
 * The work of a delta grows with what changed, not with what there is, and none is done while
 * nobody watches. A thing that cannot be read or encoded is missing, and nothing else is.
 */
export class EventHub {
  readonly #deps: HubDeps;
  /** By what they may see; none is empty. */
  readonly #audiences = new Map<Sight, Audience>();
  readonly #audienceOf = new WeakMap<Watcher, Audience>();
  readonly #dirty = new Map<string, readonly [Touchable, string]>();
  readonly #things: Things;
  readonly #shared: SharedByAudiences;
  readonly #rests: Rests;
  readonly #telling: TurnWork;
  #changes: Changes | undefined;
  /** Who has still to be told of those changes. */
  readonly #untold = new Set<Audience>();
  #timer: Timer | undefined;
  #seq = 0;

  constructor(deps: HubDeps) {
    const { sources, clock, log } = deps;
    const onFault = loggedFault(log, "what editors are told");
    this.#deps = deps;
    this.#shared = this.#share(onFault);
    const { maker } = this.#shared;
    this.#things = new Things({ sources, clock, log, isNeeded: () => maker.isBusy });
    this.#rests = new Rests(clock);
    const step = () => this.#tellOne();
    this.#telling = new TurnWork({ budget: TURN_CHANGES, step, onFault });
  }

  /** Marks a thing as changed; watchers get its value of a moment later. */
  readonly touch: Touch = (entity, id) => {
    if (this.#audiences.size === 0) return;
    const key = `${entity} ${id}`;
    this.#things.forget(key);
    if (this.#rests.defer(key, () => this.touch(entity, id))) return;
    this.#dirty.set(key, [entity, id]);
    this.#schedule(GATHER_MS);
  };

  /** Sends the watcher everything there is that it may see, and from then on what changes. */
  watch(watcher: Watcher, sight: Sight = EVERYTHING): void {
    const audience = this.#audiences.get(sight) ?? this.#audienceWith(sight);
    this.#audiences.set(sight, audience);
    this.#audienceOf.set(watcher, audience);
    audience.add(watcher);
  }

  /** Stops telling a watcher. */
  unwatch(watcher: Watcher): void {
    this.#audienceOf.get(watcher)?.delete(watcher);
    this.#forgetEmpty();
  }

  /** The watcher has room again. */
  resume(watcher: Watcher): void {
    this.#audienceOf.get(watcher)?.resume(watcher);
  }

  /** How many watch now. */
  get watchers(): number {
    return [...this.#audiences.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** What the snapshots of all of them have. */
  get snapshotBytes(): number {
    return this.#shared.room.bytes;
  }

  /** What the deltas have that some of them have still to be told. */
  get backlogBytes(): number {
    return this.#shared.backlog.texts.bytes;
  }

  /** Forgets everything that was to be told. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dirty.clear();
    this.#untold.clear();
    this.#changes = undefined;
    this.#rests.clear();
    this.#things.drop();
    this.#shared.messages.clear();
  }

  #share(onFault: (error: unknown) => void): SharedByAudiences {
    const { backlogMaxBytes, onLost = () => {}, clock } = this.#deps;
    const { snapshotMaxBytes = Number.POSITIVE_INFINITY, onSnapshotsFull = () => {} } = this.#deps;
    const room = new SnapshotRoom({
      maxBytes: snapshotMaxBytes,
      onFull: onSnapshotsFull,
      isShared: () => this.#things.isKeeping,
      clock,
      onFault,
    });
    return {
      backlog: new Backlog(backlogMaxBytes),
      onLost,
      room,
      maker: new SnapshotMaker(onFault),
      messages: new RecentMessages(clock),
      pump: new Pump(onFault),
    };
  }

  #audienceWith(sight: Sight): Audience {
    const { clock, log } = this.#deps;
    const shown = new ShownThings(sight);
    return new Audience({
      seq: this.#seq,
      shown,
      contents: (seq) => this.#contents(seq, shown),
      shared: this.#shared,
      clock,
      onFault: loggedFault(log, "what an editor is told"),
    });
  }

  #contents(
    seq: number,
    shown: ShownThings,
  ): Pick<SnapshotDeps, "facts" | "things" | "encodedBytes"> {
    const { clock, sources } = this.#deps;
    const things = this.#things;
    const facts = { seq, at: toTime(clock.now()), server: shown.server(sources.server()) };
    things.keep();
    return { facts, things: things.all(), encodedBytes: () => things.texts.bytes };
  }

  #schedule(ms: number): void {
    if (this.#changes !== undefined) return;
    this.#timer ??= this.#deps.clock.after(ms, () => this.#flush());
  }

  /** The next changes are not gathered before everybody was told of these. */
  #flush(): void {
    this.#timer = undefined;
    const changes = this.#takeChanges();
    if (changes.length === 0) return;
    this.#seq += 1;
    this.#changes = new Changes(toTime(this.#deps.clock.now()), changes);
    for (const audience of this.#audiences.values()) this.#untold.add(audience);
    this.#telling.wake();
  }

  #tellOne(): number | undefined {
    const [audience] = this.#untold;
    const changes = this.#changes;
    if (audience === undefined || changes === undefined) return undefined;
    this.#untold.delete(audience);
    try {
      audience.tell(changes);
    } finally {
      if (this.#untold.size === 0) this.#allTold();
    }
    return changes.size;
  }

  #allTold(): void {
    this.#changes = undefined;
    this.#forgetEmpty();
    if (this.#dirty.size > 0) this.#schedule(NEXT_PIECE_MS);
  }

  #takeChanges(): Encoded[] {
    const changes: Encoded[] = [];
    const { texts } = this.#things;
    const before = texts.bytes;
    for (const [key, [entity, id]] of this.#dirty) {
      if (changes.length >= CHANGES_MAX || texts.bytes - before >= PIECE_BYTES) break;
      this.#dirty.delete(key);
      changes.push(this.#take(key, entity, id));
    }
    return changes;
  }

  #take(key: string, entity: Touchable, id: string): Encoded {
    if (entity === "server") return this.#things.server();
    const thing = this.#things.read(entity, id);
    const text = thing.value && thing.textOf(thing.value);
    if (text !== undefined) this.#rests.begin(key, text.bytes.length);
    return thing;
  }

  #forgetEmpty(): void {
    for (const [sight, { size }] of this.#audiences) {
      if (size === 0) this.#audiences.delete(sight);
    }
    if (this.#audiences.size === 0) this.close();
  }
}
