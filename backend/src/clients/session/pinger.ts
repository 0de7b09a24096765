import type { OnFault } from "@rport/protocol/wire/contain";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { LiveSession } from "../liveSession.ts";

/** What the pinger needs. */
export interface PingerDeps {
  readonly clock: Clock;
  readonly sessions: () => Iterable<LiveSession>;
  /** Told what made a round end early; the next one comes all the same. */
  readonly onFault: OnFault;
  /** RPort's `check_clients_connection_interval`. */
  readonly intervalMs?: number;
  /** RPort's `check_clients_connection_timeout`. */
  readonly timeoutMs?: number;
}

/**
 * Five times as often as RPort: a host that vanished shows as offline after 80 s at most. Our own
 * agents ping more often than this, so only those that are silent are ever asked.
 */
const INTERVAL_MS = 60_000;
const TIMEOUT_MS = 20_000;
/** A client heard of within the interval, less this, is not asked. */
const SLACK_MS = 10_000;
/** Pings that wait for an answer at a time. */
const PARALLEL = 100;

/**
 * Finds agents that are gone without their sockets having noticed: one round per interval for all
 * of them. A session that does not answer closes itself.
 */
export class Pinger {
  readonly #deps: PingerDeps;
  readonly #intervalMs: number;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(deps: PingerDeps) {
    this.#deps = deps;
    this.#intervalMs = deps.intervalMs ?? INTERVAL_MS;
  }

  start(): void {
    if (this.#isStopped) return;
    this.#timer = this.#deps.clock.after(this.#intervalMs, () => {
      this.start();
      this.#round().catch(this.#deps.onFault);
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #round(): Promise<void> {
    const longestSilenceMs = Math.max(this.#intervalMs - SLACK_MS, this.#intervalMs / 2);
    const silent = [...this.#deps.sessions()].filter(
      (session) => session.canBePinged && session.silentMs >= longestSilenceMs,
    );
    const worker = async () => {
      for (let next = silent.pop(); next !== undefined && !this.#isStopped; next = silent.pop()) {
        await next.ping(this.#deps.timeoutMs ?? TIMEOUT_MS);
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, silent.length) }, worker));
  }
}
