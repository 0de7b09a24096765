import type { Transport } from "@rport/protocol/wire/transport";
import type { Clock } from "../../platform/clock.ts";

/** A question by the way has as long as the pinger's: a busy line brings its answer late. */
const PING_MS = 20_000;

/** What the signs of an agent's life come from. */
export interface LifeSignsDeps {
  readonly transport: Pick<Transport, "isClosed" | "counters">;
  readonly clock: Clock;
  /** Pings the agent once; an overdue answer ends the connection. */
  readonly ping: (timeoutMs: number) => Promise<unknown>;
  /** Called when it has answered. */
  readonly onHeard: () => void;
}

/** Whether an agent is there: one ping at a time serves all who want to know. */
export class LifeSigns {
  readonly #deps: LifeSignsDeps;
  #ping: Promise<boolean> | undefined;

  constructor(deps: LifeSignsDeps) {
    this.#deps = deps;
  }

  /** See `LiveSession.ping`. */
  ping(timeoutMs: number): Promise<boolean> {
    this.#ping ??= this.#pingOnce(timeoutMs);
    return this.#ping;
  }

  /** See `LiveSession.isHeardWithin`. */
  async within(ms: number): Promise<boolean> {
    const { transport, clock } = this.#deps;
    const before = transport.counters.bytesIn;
    const late = Promise.withResolvers<boolean>();
    const timer = clock.after(ms, () => {
      late.resolve(!transport.isClosed && transport.counters.bytesIn > before);
    });
    return await Promise.race([this.ping(PING_MS), late.promise]).finally(() => timer.cancel());
  }

  async #pingOnce(timeoutMs: number): Promise<boolean> {
    const { transport, ping, onHeard } = this.#deps;
    // What fails and leaves the connection says that too many requests wait, and nothing of the agent.
    await ping(timeoutMs).then(onHeard, () => {});
    this.#ping = undefined;
    return !transport.isClosed;
  }
}
