import type { Clock } from "../platform/clock.ts";
import { networkOf } from "../platform/network.ts";
import { RecentMap } from "../platform/recentMap.ts";
import type { Bursts } from "./bursts.ts";
import type { Audit } from "./entry.ts";

/** Every request shows a token; one entry per hour, token and address says enough. */
const AGAIN_MS = 3_600_000;
/** Pairs of token and address remembered; the oldest go first. */
const SEEN_MAX = 10_000;

/** Whose token was shown. */
export interface SignInFacts {
  readonly tokenId: string;
  readonly name: string;
}

/** What somebody signs in with, beside a token. */
export type SignInWay = "password" | "second factor" | "recovery code";

/** What sign-ins are written with. */
export interface SignInsDeps {
  readonly audit: Audit;
  readonly bursts: Bursts;
  readonly clock: Clock;
}

/** Writes down who comes in with a token, and who tries to. */
export class SignIns {
  readonly #deps: SignInsDeps;
  readonly #seenAtMs = new RecentMap<string, number>(SEEN_MAX);

  constructor(deps: SignInsDeps) {
    this.#deps = deps;
  }

  /** A valid token was shown. */
  accepted({ tokenId, name }: SignInFacts, address: string): void {
    const { audit, clock } = this.#deps;
    const key = `${tokenId} ${address}`;
    const nowMs = clock.monotonic();
    if (nowMs - (this.#seenAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    this.#seenAtMs.set(key, nowMs);
    const what = { application: "auth.api.session", action: "success" } as const;
    audit.note({ ...what, user: name, remoteIp: address, affectedId: tokenId });
  }

  /** Somebody signed in; `how` names what was shown. */
  signedIn({ tokenId, name }: SignInFacts, address: string, how: SignInWay): void {
    const { audit, clock } = this.#deps;
    // The first request with what came of it says nothing new.
    this.#seenAtMs.set(`${tokenId} ${address}`, clock.monotonic());
    const what = { application: "auth.api.session", action: "success" } as const;
    const request = { with: how };
    audit.note({ ...what, user: name, remoteIp: address, affectedId: tokenId, request });
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
