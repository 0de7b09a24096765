import type { RecordingId } from "@rport/protocol/terminal/recording";
import type { RecordingFacts } from "./recordingFacts.ts";

/** By what it is told who has most. */
export type Measure = "bytes" | "count";

/** How much there is of each. */
export type Amounts = Record<Measure, number>;

/** Who takes how much more. */
export interface Taker {
  readonly owner: string;
  readonly more: number;
}

interface Owned extends Amounts {
  /** Of those that are written. */
  readonly running: Amounts;
  /** Those that are written no more, the oldest first, by their ends. */
  readonly there: Map<RecordingId, RecordingFacts>;
}

const NOTHING: Readonly<Amounts> = { bytes: 0, count: 0 };

/** What recordings each user has, by `Sharer.accountId`; whose begin cannot be read is nobody's. */
export class RecordingOwners {
  readonly #owned = new Map<string, Owned>();
  readonly #running: Amounts = { ...NOTHING };

  /** Of all that are written. */
  get running(): Readonly<Amounts> {
    return this.#running;
  }

  /** The same of one user. */
  runningOf(owner: string): Readonly<Amounts> {
    return this.#owned.get(owner)?.running ?? NOTHING;
  }

  /** The user has one more that is written. */
  begin(owner: string): void {
    this.#of(owner).running.count += 1;
    this.#running.count += 1;
    this.#count(owner, 1);
  }

  /** It has so many bytes more. */
  grow(owner: string, bytes: number): void {
    const owned = this.#of(owner);
    owned.bytes += bytes;
    owned.running.bytes += bytes;
    this.#running.bytes += bytes;
  }

  /** It is written no more; it had so many bytes. */
  end(owner: string, bytes: number): void {
    this.grow(owner, -bytes);
    this.#of(owner).running.count -= 1;
    this.#running.count -= 1;
    this.#count(owner, -1);
  }

  /** One is there that is not written any more. */
  add(facts: RecordingFacts): void {
    const owner = ownerOf(facts);
    const owned = this.#of(owner);
    owned.there.set(facts.id, facts);
    owned.bytes += facts.bytes;
    this.#count(owner, 1);
  }

  /** It is there no more. */
  forget(facts: RecordingFacts): void {
    const owner = ownerOf(facts);
    const owned = this.#owned.get(owner);
    if (owned === undefined || !owned.there.delete(facts.id)) return;
    owned.bytes -= facts.bytes;
    this.#count(owner, -1);
  }

  /**
   * Of those that are not written, the oldest one of whoever has most: nobody's who has less than the taker has
   * then, with what is written. Undefined: there is none.
   */
  oldestOfMost(measure: Measure, taker?: Taker): RecordingFacts | undefined {
    const least =
      taker === undefined ? 0 : (this.#owned.get(taker.owner)?.[measure] ?? 0) + taker.more;
    let most = -1;
    let oldest: RecordingFacts | undefined;
    for (const [owner, owned] of this.#owned) {
      const has = owner === taker?.owner ? least : owned[measure];
      if (owned.there.size === 0 || has < least || has <= most) continue;
      most = has;
      [oldest] = owned.there.values();
    }
    return oldest;
  }

  #of(owner: string): Owned {
    const known = this.#owned.get(owner);
    if (known !== undefined) return known;
    const owned = { ...NOTHING, running: { ...NOTHING }, there: new Map() };
    this.#owned.set(owner, owned);
    return owned;
  }

  /** Whoever has none is not kept. */
  #count(owner: string, more: number): void {
    const owned = this.#of(owner);
    owned.count += more;
    if (owned.count === 0) this.#owned.delete(owner);
  }
}

function ownerOf({ meta }: RecordingFacts): string {
  return meta?.owner ?? "";
}
