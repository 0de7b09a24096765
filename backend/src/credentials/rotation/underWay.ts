import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { RotationRow } from "../../store/records/secretRow.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";

/** Beginnings and ends of a credential's rotations take turns by this key; see `EditStore.turn`. */
export function rotationTurn(id: AuthId): string {
  return `rotation ${id}`;
}

/** Whether a rotation of the credential has begun and not ended. */
export function isUnderWay(entry: LedgerEntry): boolean {
  return entry.record.state === "active" && entry.rotation?.ended_at === null;
}

/** Whether it ends with the last client that moves, rather than at a time. */
export function endsByItself(entry: LedgerEntry): boolean {
  return isUnderWay(entry) && entry.rotation?.grace_ms === null;
}

/** The rotation that is under way. Fails with `CONFLICT`. */
export function requireUnderWay(entry: LedgerEntry): RotationRow {
  if (isUnderWay(entry) && entry.rotation !== undefined) return entry.rotation;
  throw new RportError("CONFLICT", "No rotation of this credential is under way.");
}
