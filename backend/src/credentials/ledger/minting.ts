import type { KeyObject } from "node:crypto";
import type { ClientId } from "@rport/protocol/ids";
import { hmacVerifier, schemeOf } from "../../passwords/verifier.ts";
import { generatedSecret, secretId } from "../../platform/random.ts";
import type { SecretRow } from "../../store/records/secretRow.ts";
import type { OfferedSecret } from "../ports.ts";
import type { LedgerEntry } from "./ledgerEntry.ts";

/** What a new secret is for. */
export interface SecretPurpose {
  readonly origin: SecretRow["origin"];
  readonly nowMs: number;
  /** The only client that may use it; absent: any. */
  readonly clientId?: ClientId;
  /** It belongs to the first client that uses it, which has to happen before this time. */
  readonly unboundUntil?: number;
}

/** A new secret: the row to keep, and the value to hand out once. */
export interface MintedSecret extends OfferedSecret {
  readonly row: SecretRow;
}

/** Makes a random secret for a credential. Nothing is kept yet. */
export function mintSecret(
  entry: LedgerEntry,
  verifierKey: KeyObject,
  purpose: SecretPurpose,
): MintedSecret {
  const secret = generatedSecret();
  const row = newRow(entry, purpose, { secret, verifier: hmacVerifier(verifierKey, secret) });
  return { secretId: row.id, secret, row };
}

/** The row of a secret whose verifier is already known. */
export function newRow(
  entry: LedgerEntry,
  purpose: SecretPurpose,
  given: { readonly secret: string; readonly verifier: Buffer },
): SecretRow {
  return {
    id: secretId(),
    credential_id: entry.id,
    seq: entry.nextSeq(),
    scheme: schemeOf(given.secret),
    verifier: Uint8Array.from(given.verifier),
    origin: purpose.origin,
    state: "active",
    client_id: purpose.clientId ?? null,
    single_use: purpose.unboundUntil !== undefined,
    created_at: purpose.nowMs,
    last_used_at: null,
    expires_at: null,
    unbound_until: purpose.unboundUntil ?? null,
    state_since: purpose.nowMs,
  };
}
