import { RportError } from "@rport/protocol/errors";
import type { DepositRequest } from "@rport/protocol/pairing/service";
import type { Limits } from "../../limits/limits.ts";
import type { Journal } from "./journal.ts";

/** How many times as many are known as may be open. */
const ENDED_TOO = 4;
/** What a deposit takes besides its envelopes, and an envelope besides its sealed text, in bytes. */
const DEPOSIT_BYTES = 1_024;
const USE_BYTES = 512;

/** What takes a place. */
export interface Placed {
  readonly journal: Journal;
  readonly isEnded: boolean;
  /** What hosts can still claim of it, in bytes. */
  readonly bytes: number;
}

/** What the places need. */
export interface DeskPlacesDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  /** What of all one depositor may have: between 0 and 1. */
  readonly share: number;
  readonly placed: () => Iterable<Placed>;
}

interface Use {
  open: number;
  known: number;
  bytes: number;
}

interface Uses {
  readonly all: Readonly<Use>;
  /** Of one depositor. */
  readonly own: Readonly<Use>;
}

/** How much there may be at a pairing service, of one depositor and of all together. */
export class DeskPlaces {
  readonly #deps: DeskPlacesDeps;

  constructor(deps: DeskPlacesDeps) {
    this.#deps = deps;
    const { limits, placed } = deps;
    limits.watch("pairings", () => usesOf(placed()).all.open);
    limits.watch("deposit_bytes", () => usesOf(placed()).all.bytes);
  }

  /**
   * Throws `UNAVAILABLE` when there is no place for a deposit of so many bytes, where there is none, or
   * this one, which it takes the place of.
   */
  require(depositor: string, bytes: number, before: Placed | undefined): void {
    const { limits, share } = this.#deps;
    const { all, own } = this.#use(depositor);
    const added = bytes - (before?.bytes ?? 0);
    if (added > 0 && added > this.#left({ all, own })) this.#refuse("deposit_bytes", depositor);
    if (before?.isEnded === false) return;
    const most = limits.max("pairings");
    const mine = Math.max(1, most * share);
    const hasPlace =
      all.open < most &&
      all.known < most * ENDED_TOO &&
      own.open < mine &&
      own.known < mine * ENDED_TOO;
    if (!hasPlace) this.#refuse("pairings", depositor);
  }

  /** How many bytes more its depositor's journals may take. */
  leftFor(depositor: string): number {
    return this.#left(this.#use(depositor));
  }

  #left({ all, own }: Uses): number {
    const { limits, share } = this.#deps;
    const max = limits.max("deposit_bytes");
    return Math.max(0, Math.min(max - all.bytes, max * share - own.bytes));
  }

  #use(depositor: string): Uses {
    return usesOf(this.#deps.placed(), depositor);
  }

  #refuse(limit: "pairings" | "deposit_bytes", depositor: string): never {
    this.#deps.limits.bite(limit, { depositor });
    throw new RportError("UNAVAILABLE", "This pairing service has no place for more deposits now.");
  }
}

/** What hosts can claim of a deposit, in bytes of memory. */
export function bytesOf({ uses }: Pick<DepositRequest, "uses">): number {
  return uses.reduce((sum, { envelope }) => sum + USE_BYTES + envelope.ct.length, DEPOSIT_BYTES);
}

/** Strangers bring this about as often as they fetch a script, so everything is walked once. */
function usesOf(placed: Iterable<Placed>, depositor?: string): Uses {
  const all: Use = { open: 0, known: 0, bytes: 0 };
  const own: Use = { open: 0, known: 0, bytes: 0 };
  for (const each of placed) {
    add(all, each);
    if (each.journal.depositor === depositor) add(own, each);
  }
  return { all, own };
}

function add(use: Use, { journal, isEnded, bytes }: Placed): void {
  use.known += 1;
  if (!isEnded) use.open += 1;
  use.bytes += bytes + journal.bytes;
}
