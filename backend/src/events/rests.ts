import type { Clock, Timer } from "../platform/clock.ts";

/** A thing with fewer bytes may change as often as it likes. */
const LONG_BYTES = 8_192;
/** Of a longer one so many bytes are told in a second, whoever makes it change. */
const BYTES_PER_SECOND = 32_768;
/** A change of who may see it is told within a second, too. */
const REST_MAX_MS = 900;

interface Rest {
  readonly timer: Timer;
  /** What is to be done when it is over, if it has changed meanwhile. */
  again: (() => void) | undefined;
}

/**
 * Things that were told of and have much to say: their next change waits a moment, so that one that
 * changes all the time is told of now and then, as it is then.
 */
export class Rests {
  readonly #clock: Pick<Clock, "after">;
  readonly #resting = new Map<string, Rest>();

  constructor(clock: Pick<Clock, "after">) {
    this.#clock = clock;
  }

  /** So many bytes of the thing with this key were told. */
  begin(key: string, bytes: number): void {
    if (bytes < LONG_BYTES || this.#resting.has(key)) return;
    const ms = Math.min((bytes / BYTES_PER_SECOND) * 1_000, REST_MAX_MS);
    const timer = this.#clock.after(ms, () => this.#end(key));
    this.#resting.set(key, { timer, again: undefined });
  }

  /** Whether the thing rests; then `again` is called when that is over, however often it was asked. */
  defer(key: string, again: () => void): boolean {
    const rest = this.#resting.get(key);
    if (rest !== undefined) rest.again = again;
    return rest !== undefined;
  }

  /** Nothing rests any more, and nothing of it is told. */
  clear(): void {
    for (const { timer } of this.#resting.values()) timer.cancel();
    this.#resting.clear();
  }

  #end(key: string): void {
    const rest = this.#resting.get(key);
    this.#resting.delete(key);
    rest?.again?.();
  }
}
