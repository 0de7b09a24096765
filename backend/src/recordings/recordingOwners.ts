import type { RecordingId } from "@rport/protocol/terminal/recording";
import type { RecordingFacts } from "./recordingFacts.ts";

/** By what it is told who has most. */
export type Measure = "bytes" | "count";

interface Owned extends Record<Measure, number> {
  /** Bytes of those that are written. */
  runningBytes: number;
  /** Those that are written no more, the oldest first, by their ends. */
  readonly there: Map<RecordingId, RecordingFacts>;
}

/** What recordings each user has, by `Sharer.accountId`; whose begin cannot be read is nobody's. */
export class RecordingOwners {
  readonly #owned = new Map<string, Owned>();
  #runningBytes = 0;

  /** Bytes of all that are written. */
  get runningBytes(): number {
    return this.#runningBytes;
  }

  /** The same of one user. */
  runningBytesOf(owner: string): number {
    return this.#owned.get(owner)?.runningBytes ?? 0;
  }

  /** The user has one more that is written. */
  begin(owner: string): void {
    this.#count(owner, 1);
  }

  /** It has so many bytes more. */
  grow(owner: string, bytes: number): void {
    const owned = this.#of(owner);
    owned.bytes += bytes;
    owned.runningBytes += bytes;
    this.#runningBytes += bytes;
  }

  /** It is written no more; it had so many bytes. */
  end(owner: string, bytes: number): void {
    this.grow(owner, -bytes);
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

  /** Of those that are not written, the oldest one of whoever has most; undefined: there is none. */
  oldestOfMost(measure: Measure): RecordingFacts | undefined {
    let most: Owned | undefined;
    for (const owned of this.#owned.values()) {
      const isMore = most === undefined || owned[measure] > most[measure];
      if (owned.there.size > 0 && isMore) most = owned;
    }
    const [oldest] = most?.there.values() ?? [];
    return oldest;
  }

  #of(owner: string): Owned {
    const known = this.#owned.get(owner);
    if (known !== undefined) return known;
    const owned = { bytes: 0, count: 0, runningBytes: 0, there: new Map() };
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
