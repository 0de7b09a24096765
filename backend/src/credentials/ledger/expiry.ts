import type { ClientId } from "@rport/protocol/ids";
import type { SecretRow } from "../../store/records/secretRow.ts";
import type { LedgerEntry } from "./ledgerEntry.ts";

/** Whether the secret's time is over, or nobody began to use it in time; by steady time. */
export function isExpired(row: SecretRow, nowMs: number): boolean {
  if (row.expires_at !== null && row.expires_at <= nowMs) return true;
  return row.client_id === null && row.unbound_until !== null && row.unbound_until <= nowMs;
}

/** Whether the credential's own time is over. */
export function isCredentialExpired(entry: LedgerEntry, nowMs: number): boolean {
  const { expires_at } = entry.record.limits;
  return expires_at !== null && Date.parse(expires_at) <= nowMs;
}

/** Whether another client than this one has the secret. */
export function belongsToOther(row: SecretRow, client: ClientId): boolean {
  return row.client_id !== null && row.client_id !== client;
}
