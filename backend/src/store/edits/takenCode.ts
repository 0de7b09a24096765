import { RportError } from "@rport/protocol/errors";
import type { TotpRecord } from "../records/userRecord.ts";

/** The factor after a code of the app, which makes it count. Throws `CONFLICT` when it was used before. */
export function codeTaken(totp: TotpRecord, step: number): TotpRecord {
  if (totp.last_step !== null && step <= totp.last_step) {
    throw new RportError("CONFLICT", "This code was used before.");
  }
  return { ...totp, confirmed: true, last_step: step };
}

/** The factor without a recovery code, which was shown. Throws `CONFLICT` when it was used before. */
export function recoveryCodeTaken(totp: TotpRecord, hash: string): TotpRecord {
  const left = totp.recovery_hashes.filter((known) => known !== hash);
  if (left.length < totp.recovery_hashes.length) return { ...totp, recovery_hashes: left };
  throw new RportError("CONFLICT", "This recovery code was used before.");
}
