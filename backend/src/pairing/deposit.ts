import type { PairingId, SecretId } from "@rport/protocol/ids";
import { type ClaimRequest, type Envelope, envelopeSchema } from "@rport/protocol/pairing";
import { proofMatches } from "@rport/protocol/sealing";

/** How long the same installer gets the same answer again, so that a lost one wastes nothing. */
export const REPEAT_MS = 60_000;
/** Wrong proofs for one id before its deposit is destroyed. */
const WRONG_PROOFS_MAX = 5;

/** One use of a pairing that nobody has claimed yet: a secret, sealed for the token's holder. */
export interface Use {
  readonly secretId: SecretId;
  readonly sealed: Envelope;
}

/** What a deposit starts with. */
export interface DepositDeps {
  readonly id: PairingId;
  readonly claimKey: Buffer;
  readonly uses: readonly Use[];
  /** On the monotonic clock. */
  readonly deadlineMs: number;
}

/** What came of a claim. */
export type ClaimOutcome =
  | { readonly kind: "handedOver"; readonly secretId: SecretId; readonly envelope: Envelope }
  | { readonly kind: "repeated"; readonly envelope: Envelope }
  | { readonly kind: "refused" }
  /** `isTooMany`: there were as many of them as a deposit takes. */
  | { readonly kind: "wrongProof"; readonly isTooMany: boolean };

interface HandedOver {
  readonly sealed: Buffer;
  readonly untilMs: number;
}

interface SealedUse {
  readonly secretId: SecretId;
  readonly sealed: Buffer;
}

/**
 * What hosts can still claim of one pairing, in memory: a key to check proofs with, and sealed
 * envelopes that it cannot open. Both are overwritten when they are not needed.
 */
export class Deposit {
  readonly id: PairingId;
  readonly #deadlineMs: number;
  readonly #handedOver = new Map<string, HandedOver>();
  #claimKey: Buffer;
  #left: SealedUse[];
  #wrongProofs = 0;

  constructor({ id, claimKey, uses, deadlineMs }: DepositDeps) {
    this.id = id;
    this.#deadlineMs = deadlineMs;
    this.#claimKey = Buffer.from(claimKey);
    this.#left = uses.map(({ secretId, sealed }) => ({
      secretId,
      sealed: Buffer.from(JSON.stringify(sealed)),
    }));
  }

  /** Whether every use was handed over. */
  get isUsedUp(): boolean {
    return this.#left.length === 0;
  }

  /** Hands over one use, once per claimant. `atMs`: the monotonic clock. Nothing was checked yet. */
  claim({ claimant, proof }: ClaimRequest, atMs: number): ClaimOutcome {
    if (this.#claimKey.length === 0) return { kind: "refused" };
    if (!proofMatches({ id: this.id, claimKey: this.#claimKey }, claimant, proof)) {
      return { kind: "wrongProof", isTooMany: this.#countWrongProof() };
    }
    const before = this.#handedOver.get(claimant);
    if (before !== undefined && atMs < before.untilMs) {
      return { kind: "repeated", envelope: read(before.sealed) };
    }
    const use = before === undefined && atMs < this.#deadlineMs ? this.#left.shift() : undefined;
    if (use === undefined) return { kind: "refused" };
    this.#handedOver.set(claimant, { sealed: use.sealed, untilMs: atMs + REPEAT_MS });
    return { kind: "handedOver", secretId: use.secretId, envelope: read(use.sealed) };
  }

  /** Overwrites everything that could still be handed over. */
  wipe(): void {
    this.#claimKey.fill(0);
    this.#claimKey = Buffer.alloc(0);
    for (const use of this.#left) use.sealed.fill(0);
    for (const given of this.#handedOver.values()) given.sealed.fill(0);
    this.#left = [];
    this.#handedOver.clear();
  }

  #countWrongProof(): boolean {
    this.#wrongProofs += 1;
    return !this.isUsedUp && this.#wrongProofs >= WRONG_PROOFS_MAX;
  }
}

function read(sealed: Buffer): Envelope {
  return envelopeSchema.parse(JSON.parse(sealed.toString()));
}
