import type { AuthId, PairingId, SecretId } from "@rport/protocol/ids";
import type { Pairing, PairingServiceView } from "@rport/protocol/pairing/model";
import { toTime } from "../platform/clock.ts";
import { type NewStep, PairingSteps } from "./steps.ts";
import type { PairingClaim } from "./targets/target.ts";

/** What a pairing starts with. Times in milliseconds since the epoch. */
export interface ListedPairingDeps {
  readonly id: PairingId;
  readonly credentialId: AuthId;
  /** One per use. */
  readonly secretIds: readonly SecretId[];
  /** The only host that may claim it; empty: any. */
  readonly hostname: string;
  /** Where hosts get what they need. */
  readonly service: PairingServiceView;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** The user who made it, by the name of now; undefined: nobody with an account. */
  readonly maker: () => string | undefined;
}

/** One pairing as the list shows it: who came for it, and which of its secrets nobody got. */
export class ListedPairing {
  readonly id: PairingId;
  readonly credentialId: AuthId;
  readonly #deps: ListedPairingDeps;
  readonly #unclaimed: Set<SecretId>;
  readonly #claims: Pairing["claims"] = [];
  readonly #steps = new PairingSteps();
  #state: Pairing["state"] = "active";

  constructor(deps: ListedPairingDeps) {
    this.id = deps.id;
    this.credentialId = deps.credentialId;
    this.#deps = deps;
    this.#unclaimed = new Set(deps.secretIds);
    this.#steps.add({ kind: "made" }, deps.createdAtMs);
  }

  get isActive(): boolean {
    return this.#state === "active";
  }

  /** The user who made it; undefined: nobody with an account. */
  get maker(): string | undefined {
    return this.#deps.maker();
  }

  /** Whether it is this credential's; with `secrets`: and could still hand out one of them. */
  isOf(credentialId: AuthId, secrets?: ReadonlySet<SecretId>): boolean {
    if (this.credentialId !== credentialId) return false;
    return secrets === undefined || [...this.#unclaimed].some((id) => secrets.has(id));
  }

  /** The secrets that hosts get from it. */
  get secretIds(): readonly SecretId[] {
    return this.#deps.secretIds;
  }

  /** Whether this secret is its own, and as far as is known nobody got it. */
  isUnclaimed(secretId: SecretId): boolean {
    return this.#unclaimed.has(secretId);
  }

  /** Something has happened. `atMs` since the epoch. */
  step(step: NewStep, atMs: number): void {
    this.#steps.add(step, atMs);
  }

  /**
   * A host got one of the secrets; the last one uses the pairing up. `atMs` since the epoch. What is known
   * already changes nothing.
   */
  claimed({ secretId, clientId, hostname, address }: PairingClaim, atMs: number): void {
    if (!this.#unclaimed.delete(secretId)) return;
    const at = toTime(atMs);
    this.#claims.push({ client_id: clientId, hostname, address, at });
    this.#steps.add({ kind: "claimed", client_id: clientId, hostname, address }, atMs);
    if (this.isActive && this.#unclaimed.size === 0) this.#state = "used";
  }

  /** Ends the pairing if it is active, at `atMs`; answers with the secrets that nobody got. */
  end(state: "expired" | "revoked", atMs: number): readonly SecretId[] {
    if (this.isActive) {
      this.#state = state;
      this.#steps.add({ kind: state }, atMs);
    }
    const unclaimed = [...this.#unclaimed];
    this.#unclaimed.clear();
    return unclaimed;
  }

  /** The pairing as people see it. */
  view(): Pairing {
    const { secretIds, hostname, service, createdAtMs, expiresAtMs } = this.#deps;
    return {
      id: this.id,
      credential_id: this.credentialId,
      state: this.#state,
      created_at: toTime(createdAtMs),
      expires_at: toTime(expiresAtMs),
      uses: secretIds.length,
      uses_left: this.isActive ? this.#unclaimed.size : 0,
      claims: [...this.#claims],
      hostname,
      service,
      steps: this.#steps.view(),
    };
  }
}
