import type { Limits } from "../limits/limits.ts";
import type { Sharer } from "../limits/sharer.ts";
import { UserBudget } from "../limits/userBudget.ts";
import type { Clock } from "../platform/clock.ts";
import { networkOf } from "../platform/network.ts";
import { RecentMap } from "../platform/recentMap.ts";
import { Bursts } from "./bursts.ts";
import type { Audit, AuditEntry } from "./entry.ts";

/** Every request shows a token; one entry per hour, token and network says enough. */
const AGAIN_MS = 3_600_000;
const HOUR_S = AGAIN_MS / 1_000;
/** Pairs of token and network remembered; the oldest go first. */
const SEEN_MAX = 10_000;
/** Users who are told apart of those that have had all their entries. */
const USERS_MAX = 10_000;

/** Whose token was shown. */
export interface SignInFacts extends Sharer {
  readonly tokenId: string;
}

/** What somebody signs in with, beside a token. */
export type SignInWay = "password" | "second factor" | "recovery code";

/** What sign-ins are written with. */
export interface SignInsDeps {
  readonly audit: Audit;
  /** Counts what strangers try. */
  readonly bursts: Bursts;
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Clock;
}

/**
 * Writes down who comes in with a token, and who tries to. Whoever has an IPv6 prefix comes from ever
 * other networks, and whoever knows a password signs in all the time: so what one user may have written
 * is limited, of sign-ins and of uses of tokens apart, and beyond it counted in one entry a minute of each.
 */
export class SignIns {
  readonly #deps: SignInsDeps;
  readonly #seenAtMs = new RecentMap<string, number>(SEEN_MAX);

  readonly #uses: UserBudget;
  readonly #entrances: UserBudget;
  readonly #beyond: Bursts;

  constructor(deps: SignInsDeps) {
    this.#deps = deps;
    const { audit, clock } = deps;
    this.#uses = new UserBudget(deps, "sign_in_entries_per_user", HOUR_S);
    this.#entrances = new UserBudget(deps, "sign_in_entries_per_user", HOUR_S);
    this.#beyond = new Bursts({ audit, clock, max: 0, keysMax: USERS_MAX });
  }

  /** Writes all that was only counted so far. */
  close(): void {
    this.#beyond.close();
  }

  /** A valid token was shown. */
  accepted(facts: SignInFacts, address: string): void {
    const key = seenKey(facts, address);
    const nowMs = this.#deps.clock.monotonic();
    if (nowMs - (this.#seenAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    const entry = successOf(facts, address);
    if (this.#uses.spend(facts) > 0) {
      this.#beyond.note(`use ${facts.accountId}`, entry);
      return;
    }
    // Only what is written takes a place: a flood would have the entries of all others written again.
    this.#seenAtMs.set(key, nowMs);
    this.#deps.audit.note(entry);
  }

  /** Somebody signed in; `how` names what was shown. */
  signedIn(facts: SignInFacts, address: string, how: SignInWay): void {
    const entry = { ...successOf(facts, address), request: { with: how } };
    if (this.#entrances.spend(facts) > 0) {
      this.#beyond.note(`sign-in ${facts.accountId}`, entry);
      return;
    }
    // The first request with what came of it says nothing new.
    this.#seenAtMs.set(seenKey(facts, address), this.#deps.clock.monotonic());
    this.#deps.audit.note(entry);
  }

  /**
   * The password was changed at a sign-in, as when it had expired. Resolves as `Audit.record`: it is
   * a change like any other.
   */
  async passwordChanged(user: string, address: string): Promise<void> {
    const what = { application: "auth.user.me", action: "update" } as const;
    const request = { password: "changed", with: "sign-in" };
    await this.#deps.audit.record({ ...what, user, remoteIp: address, request });
  }

  /** A token was shown that is nobody's, or works no longer. */
  failed(address: string): void {
    const what = { application: "auth.api.session", action: "failed" } as const;
    this.#deps.bursts.note(`token ${networkOf(address)}`, { ...what, remoteIp: address });
  }

  /**
   * A password or a code was wrong. `user` is empty for a name that is nobody's: people type their
   * passwords there.
   */
  refused(user: string, address: string, how: SignInWay): void {
    const what = { application: "auth.api.session", action: "failed" } as const;
    const request = { with: how };
    const key = `${how} ${networkOf(address)} ${user}`;
    this.#deps.bursts.note(key, { ...what, user, remoteIp: address, request });
  }
}

function seenKey({ tokenId }: SignInFacts, address: string): string {
  return `${tokenId} ${networkOf(address)}`;
}

function successOf({ tokenId, name }: SignInFacts, address: string): AuditEntry {
  const what = { application: "auth.api.session", action: "success" } as const;
  return { ...what, user: name, remoteIp: address, affectedId: tokenId };
}
