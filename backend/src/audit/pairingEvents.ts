import type { ClientId } from "@rport/protocol/ids";
import type { Pairing } from "@rport/protocol/pairing/model";
import { networkOf } from "../platform/network.ts";
import type { Bursts } from "./bursts.ts";
import type { CredentialShares } from "./credentialShares.ts";
import type { Audit, AuditEntry } from "./entry.ts";

/** Which pairing: its public id, which opens nothing. */
export type PairingFacts = Pick<Pairing, "id" | "credential_id">;

/** Who came for a use. */
export interface ClaimFacts {
  readonly clientId: ClientId;
  readonly hostname: string;
  readonly address: string;
}

/** What these events are written with. */
export interface PairingEventsDeps {
  readonly audit: Audit;
  readonly bursts: Bursts;
  readonly shares: Pick<CredentialShares, "of">;
}

/** Writes down what installers do with pairings, and how pairings end. */
export class PairingEvents {
  readonly #audit: Audit;
  readonly #bursts: Bursts;
  readonly #shares: PairingEventsDeps["shares"];

  constructor({ audit, bursts, shares }: PairingEventsDeps) {
    this.#audit = audit;
    this.#bursts = bursts;
    this.#shares = shares;
  }

  /** The installer script was fetched under the id of an open pairing. */
  fetched(id: string, address: string): void {
    const entry = { ...entryOf("fetch", id), remoteIp: address };
    this.#bursts.note(`fetch ${networkOf(address)}`, entry);
  }

  /**
   * A use was handed over. What the installer says about its host is not proven by anything. One pairing
   * has a hundred uses, and is one change of a user: so its entries come out of the share of its credential.
   */
  claimed(pairing: PairingFacts, claim: ClaimFacts): void {
    this.#shares.of(pairing.credential_id).note({
      ...entryOf("claim", pairing.id),
      remoteIp: claim.address,
      clientId: claim.clientId,
      clientHostname: claim.hostname,
      request: { credential_id: pairing.credential_id },
    });
  }

  /** A claim was refused. Ids that do not exist are not repeated. */
  claimFailed(pairing: PairingFacts | undefined, address: string): void {
    const entry = { ...entryOf("failed", pairing?.id), remoteIp: address };
    this.#bursts.note(`claim ${networkOf(address)}`, entry);
  }

  /** A pairing ended by itself: its time was over, or somebody guessed too often. */
  ended(pairing: PairingFacts, why: "expired" | "guessed"): void {
    this.#audit.note({
      ...entryOf(why === "expired" ? "expire" : "revoke", pairing.id),
      request: { credential_id: pairing.credential_id },
      response: why === "guessed" ? { reason: "too many wrong proofs" } : {},
    });
  }
}

function entryOf(action: AuditEntry["action"], id: string | undefined): AuditEntry {
  return { application: "pairing", action, affectedId: id };
}
