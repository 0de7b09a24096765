import type { AuthId, ClientId } from "@rport/protocol/ids";
import { type Clock, type Timer, toTime } from "../../platform/clock.ts";

/** The first client that was one too many. */
export interface Flood {
  readonly credentialId: AuthId;
  /** Which of the credential's limits it met; `many-joins`: none, but more came than usual. */
  readonly why: "join-rate" | "too-many-clients" | "credential-full" | "many-joins";
  readonly clientId: ClientId;
  readonly address: string;
}

/** What floods need. */
export interface FloodsDeps {
  readonly clock: Clock;
  readonly touch: (entity: "credential", id: AuthId) => void;
  /** Called once for each flood, at its beginning. */
  readonly onFlood: (flood: Flood) => void;
}

/** A flood is over when nobody was refused for this long; what comes then is another one. */
export const QUIET_MS = 3_600_000;

interface Running {
  readonly since: string;
  lastMs: number;
  timer: Timer;
}

/** Credentials with which more new clients came than their limits allow, until it is quiet again. */
export class Floods {
  readonly #deps: FloodsDeps;
  readonly #running = new Map<AuthId, Running>();

  constructor(deps: FloodsDeps) {
    this.#deps = deps;
  }

  /** A new client was one too many. */
  note(flood: Flood): void {
    const { clock, touch, onFlood } = this.#deps;
    const { credentialId: id } = flood;
    const lastMs = clock.monotonic();
    const running = this.#running.get(id);
    if (running !== undefined) {
      running.lastMs = lastMs;
      return;
    }
    const timer = clock.after(QUIET_MS, () => this.#look(id));
    this.#running.set(id, { since: toTime(clock.now()), lastMs, timer });
    touch("credential", id);
    onFlood(flood);
  }

  /** When the flood of a credential began; undefined: there is none. */
  since(id: AuthId): string | undefined {
    return this.#running.get(id)?.since;
  }

  /** The credential is gone. */
  forget(id: AuthId): void {
    this.#running.get(id)?.timer.cancel();
    this.#running.delete(id);
  }

  /** Stops its timers. */
  close(): void {
    for (const id of [...this.#running.keys()]) this.forget(id);
  }

  #look(id: AuthId): void {
    const { clock, touch } = this.#deps;
    const running = this.#running.get(id);
    if (running === undefined) return;
    const restMs = running.lastMs + QUIET_MS - clock.monotonic();
    if (restMs > 0) {
      running.timer = clock.after(restMs, () => this.#look(id));
      return;
    }
    this.#running.delete(id);
    touch("credential", id);
  }
}
