import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import type { RotationRow, SecretRow } from "../../store/records/secretRow.ts";
import type { ShiftRow } from "../../store/records/shiftRow.ts";
import { isExpired } from "../ledger/expiry.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientRef } from "../ports.ts";
import { firstShift } from "./progress.ts";

/** A rotation that could begin now: what it would write, and where everybody would stand. */
export interface RotationPlan {
  readonly row: RotationRow;
  readonly edits: readonly SecretEdit[];
  readonly shifts: readonly ShiftRow[];
}

/** When a rotation begins, and for how long the old secrets stay good. */
export interface RotationTimes {
  readonly nowMs: number;
  /** The same moment by the time that ends of secrets are measured by. */
  readonly steadyMs: number;
  /** Undefined: until everybody has moved. */
  readonly graceMs: number | undefined;
  readonly endsAtMs: number | undefined;
}

/**
 * Puts the secrets in grace and everybody at the start, also those who moved in a rotation that is
 * still under way: their secret is older than this one. The end of its grace gives way to this one's.
 * With a grace, a pairing that is on its way to its host stays out of it: nobody can have it from
 * before, and who installs a host now must not find the line cut.
 */
export function planRotation(
  entry: LedgerEntry,
  clients: readonly ClientRef[],
  times: RotationTimes,
): RotationPlan {
  const { nowMs, steadyMs, graceMs, endsAtMs } = times;
  const stoodOn = new Set(clients.map(({ secretId }) => secretId));
  const isFresh = (row: SecretRow): boolean =>
    graceMs !== 0 && isOnItsWay(row, steadyMs) && !stoodOn.has(row.id);
  const grace = entry
    .secrets()
    .filter((row) => row.state !== "revoked" && !isFresh(row))
    .map(
      ({ id }): SecretEdit => ({
        kind: "grace",
        credential: entry.id,
        id,
        atMs: nowMs,
        endsAtMs: endsAtMs ?? null,
      }),
    );
  const row = beginningRow(entry, times);
  const shifts = clients.flatMap((client) => firstShift(entry, client, nowMs) ?? []);
  const clear = { kind: "clearShifts" as const, credential: entry.id };
  const moves = shifts.map((first) => ({ kind: "shift" as const, row: first }));
  return { row, edits: [...grace, { kind: "rotation", row }, clear, ...moves], shifts };
}

/** The row of a rotation that begins. */
export function beginningRow(
  { id }: Pick<LedgerEntry, "id">,
  { nowMs, graceMs, endsAtMs }: RotationTimes,
): RotationRow {
  return {
    credential_id: id,
    started_at: nowMs,
    grace_ms: graceMs ?? null,
    grace_ends_at: endsAtMs ?? null,
    ended_at: null,
  };
}

/** A pairing's secret that may still be claimed, or whose host installs or waits to be let in. */
function isOnItsWay(row: SecretRow, steadyMs: number): boolean {
  const isUnused = row.origin === "pairing" && row.state === "active" && row.last_used_at === null;
  return isUnused && !isExpired(row, steadyMs);
}

/** The secrets that a rotation replaces. */
export function secretsInGrace(entry: LedgerEntry): SecretRow[] {
  return entry.secrets().filter((row) => row.state === "grace");
}

/** The old secrets open nothing any more. */
export function endEdits(entry: LedgerEntry, rotation: RotationRow, atMs: number): SecretEdit[] {
  const credential = entry.id;
  const revoke = secretsInGrace(entry).map(
    ({ id }): SecretEdit => ({ kind: "revoke", credential, id, atMs }),
  );
  return [...revoke, ...closeEdits(rotation, atMs)];
}

/**
 * The old secrets are as good as before, and so are the new ones: a client that was offered one may
 * have stored it without being able to say so.
 */
export function cancelEdits(entry: LedgerEntry, rotation: RotationRow, atMs: number): SecretEdit[] {
  const credential = entry.id;
  const activate = secretsInGrace(entry).map(
    ({ id }): SecretEdit => ({ kind: "activate", credential, id, atMs }),
  );
  return [...activate, ...closeEdits(rotation, atMs)];
}

function closeEdits(rotation: RotationRow, atMs: number): SecretEdit[] {
  return [
    { kind: "rotation", row: { ...rotation, ended_at: atMs } },
    { kind: "clearShifts", credential: rotation.credential_id },
  ];
}
