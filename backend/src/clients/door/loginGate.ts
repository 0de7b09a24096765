import type { RefusalReason } from "@rport/protocol/refusal";
import type { AgentEvents } from "../../audit/agentEvents.ts";
import type {
  AcceptedLogin,
  LoginFault,
  LoginResult,
  RefusedLogin,
} from "../../credentials/admission/verdicts.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { LogBursts } from "../../platform/logBursts.ts";
import { networkOf } from "../../platform/network.ts";
import { RecentMap } from "../../platform/recentMap.ts";
import type { DoorCounters } from "../doorCounters.ts";
import type { Refusals } from "../refusals.ts";
import type { Penalties } from "./penalties.ts";
import { RightSecrets, type Trial } from "./rightSecrets.ts";

/** What checks a password. */
export interface LoginChecker {
  login(authId: string, password: string, address: string): Promise<LoginResult>;
}

/** What the gate needs. */
export interface LoginGateDeps {
  readonly credentials: LoginChecker;
  readonly penalties: Penalties;
  readonly counters: DoorCounters;
  readonly agentEvents: Pick<AgentEvents, "loginRefused">;
  readonly refusals: Pick<Refusals, "note">;
  readonly clock: Clock;
  readonly log: Log;
}

/** From where a connection comes. */
export interface LoginOrigin {
  readonly address: string;
  /** Others may have the same address, so nobody is made to wait for what came from there. */
  readonly isShared: boolean;
}

/** Somebody's verdict. */
export type Verdict =
  | { readonly kind: "accepted"; readonly login: AcceptedLogin }
  | { readonly kind: "refused" };

/** How refused logins are listed. */
const LISTED_AS = {
  unknown: "unknown-credential",
  wrong: "wrong-secret",
  deleted: "revoked-credential",
  revoked: "revoked-secret",
  expired: "expired",
  address: "address",
  busy: "busy",
} as const satisfies Readonly<Record<LoginFault, RefusalReason>>;
/**
 * What may be a guess. A secret that was right once is a straggler's, and costs nothing; nor does a
 * deleted credential where agents are known to be: elsewhere it costs what an unknown one does, or
 * strangers could tell the two apart.
 */
const GUESSES: ReadonlySet<LoginFault> = new Set(["unknown", "wrong", "address"]);
/** Stragglers of a deleted credential are written down this often per network. */
const STRAGGLER_MS = 60_000;
const STRAGGLERS_MAX = 10_000;

/**
 * Checks logins: first whether this one may be tried at all, then the password, then what follows.
 */
export class LoginGate {
  readonly #deps: LoginGateDeps;
  readonly #strangers: LogBursts;
  readonly #right = new RightSecrets();
  readonly #stragglers = new RecentMap<string, number>(STRAGGLERS_MAX);

  constructor(deps: LoginGateDeps) {
    this.#deps = deps;
    this.#strangers = new LogBursts(deps);
  }

  /** Writes down what was only counted so far. */
  close(): void {
    this.#strangers.close();
  }

  /** Seconds until agents may connect from there again; 0: now. */
  waitS({ address, isShared }: LoginOrigin): number {
    return isShared ? 0 : this.#deps.penalties.networkWaitS(networkOf(address));
  }

  /** Somebody was sent away without being heard, because of what came from there before. */
  sentAway({ address }: LoginOrigin, authId?: string): void {
    this.#deps.refusals.note({ why: "penalty", address, authId });
    this.#deps.agentEvents.loginRefused(undefined, "penalty", address);
  }

  /**
   * Checks one login. Throws when there is no verdict: the connection ends without one, and the
   * agent tries again later.
   */
  async check(from: LoginOrigin, user: string, password: string): Promise<Verdict> {
    const network = networkOf(from.address);
    const trial = { network, authId: user, secret: password };
    const mustWait = this.#pairWaitS(from, network, user) > 0;
    if (this.waitS(from) > 0 || (mustWait && !this.#isNoGuess(trial))) {
      this.#sendAway(from, user);
    }
    const result = await this.#deps.credentials.login(user, password, from.address);
    if (result.kind === "accepted") {
      this.#deps.counters.acceptedLogins += 1;
      this.#right.passed(trial);
      return { kind: "accepted", login: result };
    }
    if (mustWait) this.#sendAway(from, user);
    const isGuess = this.#isGuess(result.why, network) && !from.isShared;
    if (isGuess) this.#deps.penalties.wrongSecret(network, user);
    return this.#refused(result, user, from.address);
  }

  /** A neighbour who guesses keeps nobody out where agents of ours are. */
  #isNoGuess(trial: Trial): boolean {
    return this.#deps.penalties.isKnown(trial.network) && this.#right.isNoGuess(trial);
  }

  #isGuess(why: LoginFault, network: string): boolean {
    return GUESSES.has(why) || (why === "deleted" && !this.#deps.penalties.isKnown(network));
  }

  /** No verdict: whoever it was tries again later. */
  #sendAway(from: LoginOrigin, authId: string): never {
    this.sentAway(from, authId);
    throw new Error("too many failed logins from there");
  }

  #pairWaitS({ isShared }: LoginOrigin, network: string, user: string): number {
    return isShared ? 0 : this.#deps.penalties.pairWaitS(network, user);
  }

  #refused({ why, clientId }: RefusedLogin, user: string, address: string): Verdict {
    const { refusals, counters, log, agentEvents } = this.#deps;
    refusals.note({ why: LISTED_AS[why], address, authId: user, clientId });
    if (why === "busy") throw new Error("the login could not be checked now");
    counters.failedLogins += 1;
    if (why === "deleted" && this.#isAgain(address, user)) return { kind: "refused" };
    const fields = { address, reason: why };
    const message = "agent login refused";
    this.#strangers.note({ log, level: "warn", message, address, fields });
    agentEvents.loginRefused(user, why, address);
    return { kind: "refused" };
  }

  /** Whether a straggler of this credential was written down within the last minute. */
  #isAgain(address: string, user: string): boolean {
    const key = `${networkOf(address)} ${user}`;
    const nowMs = this.#deps.clock.monotonic();
    const lastMs = this.#stragglers.get(key);
    if (lastMs !== undefined && nowMs - lastMs < STRAGGLER_MS) return true;
    this.#stragglers.set(key, nowMs);
    return false;
  }
}
