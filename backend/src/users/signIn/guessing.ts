import { RportError } from "@rport/protocol/errors";
import { Penalties } from "../../clients/door/penalties.ts";
import type { Clock } from "../../platform/clock.ts";
import { networkOf } from "../../platform/network.ts";
import { RecentMap } from "../../platform/recentMap.ts";

/** Networks remembered from which somebody signed in. */
const KNOWN_MAX = 10_000;

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

  constructor(clock: Pick<Clock, "monotonic">) {
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

  /** It was right. */
  right({ address, isShared }: TriesFrom): void {
    if (!isShared) this.#known.set(networkOf(address), true);
  }
}
