import { createHash, timingSafeEqual } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import { Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";
import { networkOf } from "../../platform/network.ts";

/** What servers without a key may deposit, per network. */
const ANONYMOUS = { burst: 10, perSecond: 10 / 60 };
const NETWORKS_MAX = 10_000;
/** What of all that a service keeps one listed server may have, and one network where there is no list. */
const LISTED_SHARE = 1 / 4;
const ANONYMOUS_SHARE = 1 / 16;
const KEY_MIN = 32;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A server that may deposit. */
interface Depositor {
  readonly name: string;
  readonly hash: Buffer;
}

/** Who may deposit here; each line of the list is `NAME KEY`, `#` begins a comment. */
export class Depositors {
  readonly #known: readonly Depositor[] | undefined;
  readonly #budget: Budget<string>;

  private constructor(known: readonly Depositor[] | undefined, clock: Clock) {
    this.#known = known;
    this.#budget = new Budget({ clock, keysMax: NETWORKS_MAX });
  }

  /** Everybody, a few times a minute. */
  static anybody(clock: Clock): Depositors {
    return new Depositors(undefined, clock);
  }

  /** Those of a list. Throws an `Error` that names the line that is wrong, and no key. */
  static parse(text: string, clock: Clock): Depositors {
    const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
    const known = lines.flatMap((line, at) => (line === "" ? [] : [parseLine(line, at + 1)]));
    if (known.length === 0) throw new Error("it names nobody");
    return new Depositors(known, clock);
  }

  /** Whether there is a list. */
  get isListed(): boolean {
    return this.#known !== undefined;
  }

  /** What of everything one of them may have: between 0 and 1. */
  get share(): number {
    return this.isListed ? LISTED_SHARE : ANONYMOUS_SHARE;
  }

  /**
   * The name of whoever shows this `Authorization` header, or its network. Throws `UNAUTHORIZED` for those
   * who are not in the list, and `TOO_MANY_REQUESTS` where there is none.
   */
  admit(authorization: string | undefined, address: string): string {
    if (this.#known !== undefined) return this.#find(authorization);
    const network = networkOf(address);
    const waitMs = this.#budget.spend(network, 1, ANONYMOUS);
    if (waitMs === 0) return network;
    throw new RportError("TOO_MANY_REQUESTS", "Too many deposits from there; try again later.", {
      retryAfterS: Math.ceil(waitMs / 1_000),
    });
  }

  #find(authorization: string | undefined): string {
    const shown = hashOf(/^Bearer (\S{1,256})$/i.exec(authorization ?? "")?.[1] ?? "");
    const found = this.#known?.filter(({ hash }) => timingSafeEqual(hash, shown))[0];
    if (found !== undefined) return found.name;
    throw new RportError("UNAUTHORIZED", "This pairing service does not know this server's key.");
  }
}

function parseLine(line: string, number: number): Depositor {
  const [name = "", key = "", ...rest] = line.split(/\s+/);
  if (!NAME.test(name)) throw new Error(`line ${number} does not begin with a plain name`);
  if (rest.length > 0 || key.length < KEY_MIN) {
    throw new Error(`line ${number} is not a name and a key of at least ${KEY_MIN} characters`);
  }
  return { name, hash: hashOf(key) };
}

function hashOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
