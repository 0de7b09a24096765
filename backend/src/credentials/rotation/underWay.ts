import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { RotationRow } from "../../store/records/secretRow.ts";
import type { LiveCredential } from "../ledger/ledgerEntry.ts";

/** Beginnings and ends of a credential's rotations take turns by this key; see `EditStore.turn`. */
export function rotationTurn(id: AuthId): string {
  return `rotation ${id}`;
}

/** Whether a rotation of the credential has begun and not ended. */
export function isUnderWay(live: LiveCredential): boolean {
  return live.record.state === "active" && live.rotation?.ended_at === null;
}

/** Whether it ends with the last client that moves, rather than at a time. */
export function endsByItself(live: LiveCredential): boolean {
  return isUnderWay(live) && live.rotation?.grace_ms === null;
}

/** The rotation that is under way. Fails with `CONFLICT`. */
export function requireUnderWay(live: LiveCredential): RotationRow {
  if (isUnderWay(live) && live.rotation !== undefined) return live.rotation;
  throw new RportError("CONFLICT", "No rotation of this credential is under way.");
}
