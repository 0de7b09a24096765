import { RportError } from "@rport/protocol/errors";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

/**
 * Fails with `BAD_REQUEST` when the client is connected, and with `CONFLICT` when it is revoked: its
 * record is the mark that keeps it out.
 */
export function requireRemovable({ revoked_at }: ClientRecord, isConnected: boolean): void {
  if (isConnected) {
    throw new RportError("BAD_REQUEST", "The client is connected; only others can be deleted.");
  }
  if (revoked_at === null) return;
  const title = "The client is revoked: allow it again first, its record is what keeps it out.";
  throw new RportError("CONFLICT", title);
}
