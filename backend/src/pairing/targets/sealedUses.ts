import type { SecretId } from "@rport/protocol/ids";
import type { Envelope, PairingToken } from "@rport/protocol/pairing";
import { newPairingToken, seal, type TokenParts, tokenParts } from "@rport/protocol/sealing";
import { toTime } from "../../platform/clock.ts";
import type { PairingDraft, PlainSecret } from "./target.ts";

/** A fresh token, and one envelope per secret that only the token opens. */
export interface SealedUses {
  readonly token: PairingToken;
  readonly parts: TokenParts;
  readonly uses: readonly { readonly secretId: SecretId; readonly envelope: Envelope }[];
}

/** Seals one payload per secret under a fresh token. */
export function sealUses(
  { payload, expiresAtMs }: PairingDraft,
  secrets: readonly PlainSecret[],
): SealedUses {
  const token = newPairingToken();
  const parts = tokenParts(token);
  const expires = toTime(expiresAtMs);
  const uses = secrets.map(({ secretId, secret }) => {
    return { secretId, envelope: seal(parts, { ...payload, secret }, expires) };
  });
  return { token, parts, uses };
}
