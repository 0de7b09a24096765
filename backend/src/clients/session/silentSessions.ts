import type { AuthId, SecretId } from "@rport/protocol/ids";
import type { OnFault } from "@rport/protocol/wire/contain";
import type { Limits } from "../../limits/limits.ts";
import type { LimitName } from "../../limits/limitTable.ts";
import { afterReading } from "../../platform/afterReading.ts";
import type { Clock, Timer } from "../../platform/clock.ts";

/** Who keeps us waiting for less than this is on its way. */
const ON_THE_WAY_MS = 250;
/** Go clients wait up to 10 s by design before they introduce themselves. */
const GRACE_MS = 11_000;
/** From the login to `new_connection`. */
const INTRODUCTION_MS = 30_000;

/** What decides how many there may be. */
export interface SilentSessionsDeps {
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  /** Told what callbacks of ours throw. */
  readonly onFault: OnFault;
}

/** A session that has not said who it is, as far as it matters here. */
export interface SilentSession {
  readonly credentialId: AuthId;
  readonly secretId: SecretId;
  readonly address: string;
}

/** One such session, until it speaks or ends. */
export class Silence {
  readonly session: SilentSession;
  readonly sinceMs: number;
  /** With what it signed in; it may be given another secret later. */
  readonly secretId: SecretId;
  /** Ends the session with a text for its agent. */
  readonly onEnd: (text: string) => void;
  isLate = false;
  timer: Timer | undefined;

  constructor(session: SilentSession, onEnd: (text: string) => void, sinceMs: number) {
    this.session = session;
    this.secretId = session.secretId;
    this.onEnd = onEnd;
    this.sinceMs = sinceMs;
  }
}

/**
 * The sessions that signed in and have not introduced themselves. A fleet that comes back with one
 * secret passes through here at once, and a Go client within its ten seconds; of those that stay
 * silent for longer each secret and each credential may have a few. When all places are taken, the
 * oldest of the most crowded secret makes room.
 */
export class SilentSessions {
  readonly #deps: SilentSessionsDeps;
  /** Of each secret, the oldest first. */
  readonly #bySecret = new Map<SecretId, Set<Silence>>();
  readonly #lateOfSecret = new Map<SecretId, number>();
  readonly #lateOfCredential = new Map<AuthId, number>();
  #count = 0;

  constructor(deps: SilentSessionsDeps) {
    this.#deps = deps;
  }

  /** How many there are now. */
  get size(): number {
    return this.#count;
  }

  /** A session signed in; `onEnd` is called if it has to go before it has said who it is. */
  enter(session: SilentSession, onEnd: (text: string) => void): Silence {
    const { clock } = this.#deps;
    const silence = new Silence(session, onEnd, clock.monotonic());
    const own = this.#bySecret.get(silence.secretId) ?? new Set();
    this.#bySecret.set(silence.secretId, own.add(silence));
    this.#count += 1;
    if (this.#isOverfull) afterReading(this.#deps.onFault, () => this.#makeRoom());
    silence.timer = clock.after(GRACE_MS, () => this.#becomeLate(silence));
    return silence;
  }

  /** It has said who it is, or has ended; harmless when that is known already. */
  leave(silence: Silence): void {
    const own = this.#bySecret.get(silence.secretId);
    if (!own?.delete(silence)) return;
    if (own.size === 0) this.#bySecret.delete(silence.secretId);
    this.#count -= 1;
    silence.timer?.cancel();
    silence.timer = undefined;
    if (silence.isLate) this.#countLate(silence, -1);
  }

  #becomeLate(silence: Silence): void {
    const { limits, clock } = this.#deps;
    const { credentialId: credential, address } = silence.session;
    const limit = this.#fullLimit(silence);
    if (limit !== undefined) {
      limits.bite(limit, { credential, address });
      this.#end(silence, "the agent did not introduce itself in time");
      return;
    }
    silence.isLate = true;
    this.#countLate(silence, 1);
    silence.timer = clock.after(INTRODUCTION_MS - GRACE_MS, () =>
      this.#end(silence, "the agent did not introduce itself in time"),
    );
  }

  /** Which of the limits for those who are late has no place for one more. */
  #fullLimit({ secretId, session }: Silence): LimitName | undefined {
    const { limits } = this.#deps;
    const ofSecret = this.#lateOfSecret.get(secretId) ?? 0;
    if (ofSecret >= limits.max("silent_sessions_per_secret")) return "silent_sessions_per_secret";
    const ofCredential = this.#lateOfCredential.get(session.credentialId) ?? 0;
    const isFull = ofCredential >= limits.max("silent_sessions_per_credential");
    return isFull ? "silent_sessions_per_credential" : undefined;
  }

  #countLate({ secretId, session }: Silence, change: 1 | -1): void {
    count(this.#lateOfSecret, secretId, change);
    count(this.#lateOfCredential, session.credentialId, change);
  }

  get #isOverfull(): boolean {
    return this.#count > this.#deps.limits.max("silent_sessions");
  }

  /** Each that came too many calls this once, when what had arrived by then has been read. */
  #makeRoom(): void {
    const victim = this.#isOverfull ? this.#victim() : undefined;
    if (victim === undefined) return;
    const { credentialId: credential, address } = victim.session;
    this.#deps.limits.bite("silent_sessions", { credential, address });
    this.#end(victim, "others need the place of an agent that says nothing");
  }

  /** Undefined: all of them came just now, and go by themselves. */
  #victim(): Silence | undefined {
    const nowMs = this.#deps.clock.monotonic();
    const crowds = [...this.#bySecret.values()].sort((one, other) => other.size - one.size);
    for (const crowd of crowds) {
      const [oldest] = crowd;
      if (oldest !== undefined && nowMs - oldest.sinceMs >= ON_THE_WAY_MS) return oldest;
    }
    return undefined;
  }

  #end(silence: Silence, text: string): void {
    this.leave(silence);
    silence.onEnd(text);
  }
}

function count<K>(counts: Map<K, number>, key: K, change: 1 | -1): void {
  const after = (counts.get(key) ?? 0) + change;
  if (after > 0) counts.set(key, after);
  else counts.delete(key);
}
