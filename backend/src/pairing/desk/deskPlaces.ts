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
  readonly open: number;
  readonly known: number;
  readonly bytes: number;
}

/** How much there may be at a pairing service, of one depositor and of all together. */
export class DeskPlaces {
  readonly #deps: DeskPlacesDeps;

  constructor(deps: DeskPlacesDeps) {
    this.#deps = deps;
    const { limits, placed } = deps;
    limits.watch("pairings", () => useOf(placed()).open);
    limits.watch("deposit_bytes", () => useOf(placed()).bytes);
  }

  /**
   * Throws `UNAVAILABLE` when there is no place for a deposit of so many bytes, where there is none, or
   * this one, which it takes the place of.
   */
  require(depositor: string, bytes: number, before: Placed | undefined): void {
    const { limits, share } = this.#deps;
    const all = this.#use();
    const own = this.#use(depositor);
    const added = bytes - (before?.bytes ?? 0);
    if (added > 0 && added > this.#left(all, own)) this.#refuse("deposit_bytes", depositor);
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
    return this.#left(this.#use(), this.#use(depositor));
  }

  #left(all: Use, own: Use): number {
    const { limits, share } = this.#deps;
    const max = limits.max("deposit_bytes");
    return Math.max(0, Math.min(max - all.bytes, max * share - own.bytes));
  }

  #use(depositor?: string): Use {
    return useOf(this.#deps.placed(), depositor);
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

function useOf(placed: Iterable<Placed>, depositor?: string): Use {
  let [open, known, bytes] = [0, 0, 0];
  for (const { journal, isEnded, bytes: held } of placed) {
    if (depositor !== undefined && journal.depositor !== depositor) continue;
    known += 1;
    if (!isEnded) open += 1;
    bytes += held + journal.bytes;
  }
  return { open, known, bytes };
}
