import type { AuthId, PairingId, SecretId } from "@rport/protocol/ids";
import type { Pairing } from "@rport/protocol/model";
import { type ClaimRequest, type Envelope, envelopeSchema } from "@rport/protocol/pairing";
import { proofMatches } from "@rport/protocol/sealing";
import { toTime } from "../platform/clock.ts";

/** How long the same installer gets the same answer again, so that a lost one wastes nothing. */
export const REPEAT_MS = 60_000;
/** Wrong proofs for one id before its deposit is destroyed. */
const WRONG_PROOFS_MAX = 5;

/** One use of a pairing that nobody has claimed yet: a secret, sealed for the token's holder. */
export interface Use {
  readonly secretId: SecretId;
  readonly sealed: Envelope;
}

/** What a deposit starts with. Times: `now` since the epoch, `deadline` on the monotonic clock. */
export interface DepositInput {
  readonly id: PairingId;
  readonly claimKey: Buffer;
  readonly credentialId: AuthId;
  readonly uses: readonly Use[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly deadlineMs: number;
}

/** Two clocks' readings of one moment. */
export interface Moment {
  readonly nowMs: number;
  readonly monotonicMs: number;
}

/** What came of a claim. `burnt`: this wrong proof destroyed the deposit. */
export type ClaimOutcome =
  | { readonly kind: "handedOver"; readonly envelope: Envelope; readonly isRepeat: boolean }
  | { readonly kind: "refused" }
  | { readonly kind: "wrongProof"; readonly burnt: boolean };

interface HandedOver {
  readonly sealed: Buffer;
  readonly untilMs: number;
}

interface SealedUse {
  readonly secretId: SecretId;
  readonly sealed: Buffer;
}

/**
 * One pairing in memory: what is left to claim, and who has claimed. It holds a key to check
 * proofs with and sealed envelopes it cannot open; both are overwritten when they are not needed.
 */
export class Deposit {
  readonly id: PairingId;
  readonly credentialId: AuthId;
  readonly deadlineMs: number;
  readonly #input: Omit<DepositInput, "uses" | "claimKey">;
  readonly #usesTotal: number;
  readonly #claims: Pairing["claims"] = [];
  readonly #handedOver = new Map<string, HandedOver>();
  #claimKey: Buffer;
  #left: SealedUse[];
  #wrongProofs = 0;
  #state: Pairing["state"] = "active";

  constructor(input: DepositInput) {
    const { uses, claimKey, ...rest } = input;
    this.id = input.id;
    this.credentialId = input.credentialId;
    this.deadlineMs = input.deadlineMs;
    this.#input = rest;
    this.#claimKey = Buffer.from(claimKey);
    this.#usesTotal = uses.length;
    this.#left = uses.map(({ secretId, sealed }) => ({
      secretId,
      sealed: Buffer.from(JSON.stringify(sealed)),
    }));
  }

  get state(): Pairing["state"] {
    return this.#state;
  }

  /** Hands over one use, once per claimant. The caller has checked nothing yet. */
  claim(request: ClaimRequest, address: string, at: Moment): ClaimOutcome {
    if (this.#claimKey.length === 0) return { kind: "refused" };
    if (!proofMatches({ id: this.id, claimKey: this.#claimKey }, request.claimant, request.proof)) {
      return { kind: "wrongProof", burnt: this.#countWrongProof() };
    }
    const before = this.#handedOver.get(request.claimant);
    if (before !== undefined && at.monotonicMs < before.untilMs) {
      return { kind: "handedOver", envelope: read(before.sealed), isRepeat: true };
    }
    if (this.#state !== "active" || before !== undefined || at.monotonicMs >= this.deadlineMs) {
      return { kind: "refused" };
    }
    return this.#handOver(request, address, at);
  }

  /** Whether one of these secrets could still be handed over. */
  holds(secrets: ReadonlySet<SecretId>): boolean {
    return this.#left.some((use) => secrets.has(use.secretId));
  }

  /** Ends the pairing; answers with the ids of the secrets that nobody got. */
  end(state: "expired" | "revoked"): readonly SecretId[] {
    const unclaimed = this.#left.map((use) => use.secretId);
    if (this.#state === "active") this.#state = state;
    this.wipe();
    return unclaimed;
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

  /** The pairing as people see it. */
  view(): Pairing {
    return {
      id: this.id,
      credential_id: this.credentialId,
      state: this.#state,
      created_at: toTime(this.#input.createdAtMs),
      expires_at: toTime(this.#input.expiresAtMs),
      uses: this.#usesTotal,
      uses_left: this.#state === "active" ? this.#left.length : 0,
      claims: [...this.#claims],
    };
  }

  #handOver(request: ClaimRequest, address: string, at: Moment): ClaimOutcome {
    const use = this.#left.shift();
    if (use === undefined) return { kind: "refused" };
    const untilMs = at.monotonicMs + REPEAT_MS;
    this.#handedOver.set(request.claimant, { sealed: use.sealed, untilMs });
    this.#claims.push({
      client_id: request.client_id,
      hostname: request.hostname,
      address,
      at: toTime(at.nowMs),
    });
    if (this.#left.length === 0) this.#state = "used";
    return { kind: "handedOver", envelope: read(use.sealed), isRepeat: false };
  }

  #countWrongProof(): boolean {
    this.#wrongProofs += 1;
    return this.#state === "active" && this.#wrongProofs >= WRONG_PROOFS_MAX;
  }
}

function read(sealed: Buffer): Envelope {
  return envelopeSchema.parse(JSON.parse(sealed.toString()));
}
