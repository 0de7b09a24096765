import { RportError } from "@rport/protocol/errors";
import { Penalties } from "../../clients/door/penalties.ts";
import { Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";
import { networkOf } from "../../platform/network.ts";
import { RecentMap } from "../../platform/recentMap.ts";

/** Networks remembered from which somebody signed in. */
const KNOWN_MAX = 10_000;
/**
 * Wrong codes of one user, from wherever: the three of a million that are right at a time are met
 * within a year by one of four who guess without a pause. Only who has the password gets to guess
 * codes, so this locks out nobody by name; recovery codes are too long to be guessed, and go on.
 */
const WRONG_CODES = { burst: 20, perSecond: 1 / 300 } as const;
const USERS_REMEMBERED = 10_000;

/** Where somebody tries from. */
export interface TriesFrom {
  readonly address: string;
  /** Others may have the same address: nobody is made to wait for what came from there. */
  readonly isShared: boolean;
}

/**
 * Makes whoever guesses wait: a user's name as tried from one network, and the network. The name
 * alone never waits, so nobody locks anybody out from elsewhere; and where somebody signed in
 * before, a neighbour's mistakes weigh less.
 */
export class Guessing {
  readonly #penalties: Penalties;
  readonly #known = new RecentMap<string, true>(KNOWN_MAX);
  readonly #codes: Budget<string>;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#codes = new Budget({ clock, keysMax: USERS_REMEMBERED });
    const isKnown = (network: string): boolean => this.#known.has(network);
    this.#penalties = new Penalties({ clock, isKnown });
  }

  /** Fails with `TOO_MANY_REQUESTS` while this name, or everybody, has to wait here. */
  require(name: string, { address, isShared }: TriesFrom): void {
    if (isShared) return;
    const network = networkOf(address);
    const waitS = Math.ceil(
      Math.max(this.#penalties.pairWaitS(network, name), this.#penalties.networkWaitS(network)),
    );
    if (waitS === 0) return;
    throw new RportError(
      "TOO_MANY_REQUESTS",
      `Too many wrong attempts from your network: try again in ${waitS} s.`,
      { retryAfterS: waitS },
    );
  }

  /** It was wrong. */
  wrong(name: string, { address, isShared }: TriesFrom): void {
    if (!isShared) this.#penalties.wrongSecret(networkOf(address), name);
  }

  /**
   * Fails with `TOO_MANY_REQUESTS` while too many codes of this user were wrong, from wherever, for
   * one purpose: `counted` names both.
   */
  requireCode(counted: string): void {
    const waitS = Math.ceil(this.#codes.waitMs(counted, 1, WRONG_CODES) / 1_000);
    if (waitS === 0) return;
    throw new RportError(
      "TOO_MANY_REQUESTS",
      `Too many wrong codes: try again in ${waitS} s, or take a recovery code.`,
      { retryAfterS: waitS },
    );
  }

  /** A code of this user was wrong, for this purpose. */
  wrongCode(counted: string): void {
    this.#codes.charge(counted, 1, WRONG_CODES);
  }

  /** It was right. */
  right({ address, isShared }: TriesFrom): void {
    if (!isShared) this.#known.set(networkOf(address), true);
  }
}
