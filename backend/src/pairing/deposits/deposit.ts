import type { PairingId } from "@rport/protocol/ids";
import { type ClaimRequest, type Envelope, envelopeSchema } from "@rport/protocol/pairing";
import { isSameHost } from "@rport/protocol/pairing/hostname";
import type { PairingReport } from "@rport/protocol/pairing/report";
import { isProvenReport, proofMatches } from "@rport/protocol/sealing";
import { ownBytes } from "../../platform/ownBytes.ts";

/** How long the same installer gets the same answer again, so that a lost one wastes nothing. */
export const REPEAT_MS = 60_000;
/** Wrong proofs for one id before its deposit is destroyed. */
const WRONG_PROOFS_MAX = 5;
/** Reports that are heard per use: an installation has one, and may be run again. */
const REPORTS_PER_USE = 8;

/** One use of a pairing that nobody has claimed yet: something sealed for the token's holder. */
export interface Use {
  /** What the depositor calls it. */
  readonly useId: string;
  readonly sealed: Envelope;
}

/** What a deposit starts with. */
export interface DepositDeps {
  readonly id: PairingId;
  readonly claimKey: Buffer;
  readonly uses: readonly Use[];
  /** The only host that may claim it; empty: any. */
  readonly hostname: string;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
}

/** What came of a claim. */
export type ClaimOutcome =
  | { readonly kind: "handedOver"; readonly useId: string; readonly envelope: Envelope }
  | { readonly kind: "repeated"; readonly envelope: Envelope }
  | { readonly kind: "refused" }
  /** It is for another host than this one; the use is still there. */
  | { readonly kind: "otherHost"; readonly hostname: string }
  /** `isTooMany`: there were as many of them as a deposit takes. */
  | { readonly kind: "wrongProof"; readonly isTooMany: boolean };

interface HandedOver {
  readonly sealed: Buffer;
  readonly untilMs: number;
}

interface SealedUse {
  readonly useId: string;
  readonly sealed: Buffer;
}

/**
 * What hosts can still claim of one pairing, in memory: a key to check proofs with, and sealed
 * envelopes that it cannot open. Both are overwritten when they are not needed.
 */
export class Deposit {
  readonly id: PairingId;
  readonly hostname: string;
  readonly #deadlineMs: number;
  readonly #handedOver = new Map<string, HandedOver>();
  readonly #claimants = new Set<string>();
  #claimKey: Buffer;
  #left: SealedUse[];
  #wrongProofs = 0;
  #reportsLeft: number;

  constructor({ id, claimKey, uses, hostname, deadlineMs }: DepositDeps) {
    this.id = id;
    this.hostname = hostname;
    this.#deadlineMs = deadlineMs;
    this.#claimKey = ownBytes(claimKey);
    this.#reportsLeft = uses.length * REPORTS_PER_USE;
    this.#left = uses.map(({ useId, sealed }) => ({
      useId,
      sealed: ownBytes(Buffer.from(JSON.stringify(sealed))),
    }));
  }

  /** Whether every use was handed over. */
  get isUsedUp(): boolean {
    return this.#left.length === 0;
  }

  /** Whether somebody got a use, who may still have something to report. */
  get hasClaimants(): boolean {
    return this.#claimants.size > 0;
  }

  /** Hands over one use, once per claimant. `atMs`: the monotonic clock. Nothing was checked yet. */
  claim({ claimant, proof, hostname }: ClaimRequest, atMs: number): ClaimOutcome {
    if (this.#claimKey.length === 0) return { kind: "refused" };
    if (!proofMatches({ id: this.id, claimKey: this.#claimKey }, claimant, proof)) {
      return { kind: "wrongProof", isTooMany: this.#countWrongProof() };
    }
    if (this.hostname !== "" && !isSameHost(this.hostname, hostname)) {
      return { kind: "otherHost", hostname: this.hostname };
    }
    const before = this.#handedOver.get(claimant);
    if (before !== undefined && atMs < before.untilMs) {
      return { kind: "repeated", envelope: read(before.sealed) };
    }
    const use = before === undefined && atMs < this.#deadlineMs ? this.#left.shift() : undefined;
    if (use === undefined) return { kind: "refused" };
    this.#handedOver.set(claimant, { sealed: use.sealed, untilMs: atMs + REPEAT_MS });
    this.#claimants.add(claimant);
    return { kind: "handedOver", useId: use.useId, envelope: read(use.sealed) };
  }

  /** Whether a report comes from an installer of this pairing, and not too often. */
  hears(report: PairingReport): boolean {
    if (this.#claimKey.length === 0 || this.#reportsLeft === 0) return false;
    if (!isProvenReport({ claimKey: this.#claimKey }, report)) return false;
    if (report.kind === "installed" && !this.#claimants.has(report.claimant)) return false;
    this.#reportsLeft -= 1;
    return true;
  }

  /** Overwrites everything that could still be handed over; reports are heard as before. */
  wipeUses(): void {
    for (const use of this.#left) use.sealed.fill(0);
    for (const given of this.#handedOver.values()) given.sealed.fill(0);
    this.#left = [];
    this.#handedOver.clear();
  }

  /** Overwrites everything. */
  wipe(): void {
    this.wipeUses();
    this.#claimKey.fill(0);
    this.#claimKey = Buffer.alloc(0);
    this.#claimants.clear();
  }

  #countWrongProof(): boolean {
    this.#wrongProofs += 1;
    return !this.isUsedUp && this.#wrongProofs >= WRONG_PROOFS_MAX;
  }
}

function read(sealed: Buffer): Envelope {
  return envelopeSchema.parse(JSON.parse(sealed.toString()));
}
