import { RportError } from "@rport/protocol/errors";
import type { Fields } from "../platform/log.ts";
import { Holdings } from "./holdings.ts";
import type { Limits } from "./limits.ts";
import { type Sharer, sharerNamed } from "./sharer.ts";

/** One user leaves this part of what others have not taken. */
const LEFT_PART = 4;
/**
 * For what comes back the user leaves less. It was granted once, beside other things than are there
 * now, and a server that starts again shall not lose what it had.
 */
const LEFT_PART_RETURNING = 16;
/** How a refusal calls what there are places for. */
const NOUNS = {
  tunnels: "this server's % tunnels",
  tunnels_per_client: "this client's % tunnels",
  channels_per_agent: "this client's % connections",
  terminals: "this server's % terminals",
  terminals_per_client: "this client's % terminals",
} as const;

/** What the places need. */
export interface SharedPlacesDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "isShared">;
  /** The limit whose places they are. */
  readonly limit: keyof typeof NOUNS;
  /** Where there can be no more than these, whatever the limit is. */
  readonly most?: number;
  /** What the log says besides the user. */
  readonly names?: () => Fields;
}

/** How somebody asks for a place. */
export interface Asked {
  /** For what was there before, and comes back. */
  readonly isReturning?: boolean | undefined;
  /** What there can be no more of where it is to be, whatever the limit is, and how people know that bound. */
  readonly bound?: Bound | undefined;
}

/** Fewer places than the limit has. */
export interface Bound {
  readonly max: number;
  readonly name: string;
}

/**
 * The places of a limit that all users share. One user never has so many that another one finds
 * none: they leave a quarter of what others have not taken, so that each user in turn can have three
 * quarters of what is left; and the first one is anybody's while there is any. Where only one person
 * comes there are no shares: whoever asked for what is there, it is all for that person.
 */
export class SharedPlaces<T> {
  readonly #deps: SharedPlacesDeps;
  readonly #held = new Holdings<T>();

  constructor(deps: SharedPlacesDeps) {
    this.#deps = deps;
  }

  /** How many there are. */
  get max(): number {
    const { limits, limit, most = Number.POSITIVE_INFINITY } = this.#deps;
    return Math.min(limits.max(limit), most);
  }

  /** How many are taken. */
  get taken(): number {
    return this.#held.size;
  }

  /**
   * Throws `CONFLICT`, which is counted and logged, when the user has their share already. Whether
   * there is any place at all is not looked at for the first one of a user.
   */
  requireShare(user: Sharer, { isReturning = false, bound }: Asked = {}): void {
    const { limits, limit, names } = this.#deps;
    if (!limits.isShared) return;
    const own = this.#of(user);
    const part = isReturning ? LEFT_PART_RETURNING : LEFT_PART;
    const { max: of, name } = this.bounded(bound);
    const leftAfter = of - this.taken - 1;
    if (own === 0 || own + 1 <= leftAfter * (part - 1)) return;
    limits.bite(limit, { ...names?.(), user: user.name, share: own, of });
    const what = NOUNS[limit].replace("%", String(of));
    const who = user.name === "" ? "Whoever uses the host's own tunnels" : user.name;
    throw new RportError(
      "CONFLICT",
      `${who} has ${own} of ${what} (${name}); others need the rest.`,
    );
  }

  /** How many there are where there may be a bound besides, and what says so. */
  bounded(bound: Bound | undefined): Bound {
    const { max } = this;
    return bound !== undefined && bound.max < max ? bound : { max, name: this.#deps.limit };
  }

  /** The place of this thing is the user's from now on. */
  take(thing: T, user: Sharer): void {
    this.#held.take(thing, user.accountId);
  }

  /** The place of this thing is free; harmless when it had none. */
  leave(thing: T): void {
    this.#held.leave(thing);
  }

  /** Those that only a name is known of are the user's who has it now. */
  #of({ accountId, name }: Sharer): number {
    const named = sharerNamed(name).accountId;
    return this.#held.of(accountId) + (accountId === named ? 0 : this.#held.of(named));
  }
}
