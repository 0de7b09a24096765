import { Fifo } from "../fifo.ts";
import { LEAST_PACKETS, type OwnTurns } from "../turns.ts";

/** What a message costs at the least, however short it is: a packet, and the objects around it. */
const MESSAGE_BYTES = 512;

/** What a backlog works with. */
export interface BacklogDeps {
  readonly turns: OwnTurns;
  /** Whether nothing can be sent now: a key exchange is running, or the connection has ended. */
  readonly isBlocked: () => boolean;
  send(payload: Buffer): void;
  /** Nothing waits any more. */
  readonly onEmpty: () => void;
}

/**
 * Messages that wait for new keys. When these are there, thousands may go out: some in each turn of the
 * event loop, and those that come meanwhile behind them.
 */
export class Backlog {
  readonly #deps: BacklogDeps;
  readonly #messages = new Fifo<Buffer>();
  #bytes = 0;
  #isScheduled = false;

  constructor(deps: BacklogDeps) {
    this.#deps = deps;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** What the messages cost together. */
  get bytes(): number {
    return this.#bytes;
  }

  add(payload: Buffer): void {
    this.#messages.push(payload);
    this.#bytes += costOf(payload);
  }

  /** Sends what waits, unless that is blocked; once it has begun it goes on by itself. */
  drain(): void {
    const { turns, isBlocked, send, onEmpty } = this.#deps;
    const sinceMs = turns.nowMs();
    for (let sent = 1; !isBlocked(); sent += 1) {
      const payload = this.#messages.take();
      if (payload === undefined) {
        onEmpty();
        return;
      }
      this.#bytes -= costOf(payload);
      send(payload);
      if (sent < LEAST_PACKETS || !turns.isOver(sinceMs)) continue;
      this.#drainLater();
      return;
    }
  }

  #drainLater(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#deps.turns.later(() => {
      this.#isScheduled = false;
      this.drain();
    });
  }
}

function costOf(payload: Buffer): number {
  return MESSAGE_BYTES + payload.length;
}
