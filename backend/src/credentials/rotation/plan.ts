import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import type { RotationRow, SecretRow } from "../../store/records/secretRow.ts";
import { isExpired } from "../ledger/expiry.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientRef } from "../ports.ts";
import type { Progress } from "./progress.ts";
import { countStates, firstShift } from "./progress.ts";

/** A rotation that could begin now: what it would write, and where everybody would stand. */
export interface RotationPlan {
  readonly row: RotationRow;
  readonly edits: readonly SecretEdit[];
  readonly shifts: readonly Extract<SecretEdit, { kind: "shift" }>[];
  readonly progress: Progress;
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
  { nowMs, steadyMs, graceMs, endsAtMs }: RotationTimes,
): RotationPlan {
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
  const row: RotationRow = {
    credential_id: entry.id,
    started_at: nowMs,
    grace_ms: graceMs ?? null,
    grace_ends_at: endsAtMs ?? null,
    ended_at: null,
  };
  const shifts = clients.flatMap((client) => {
    const first = firstShift(entry, client, nowMs);
    return first === undefined ? [] : [{ kind: "shift" as const, row: first }];
  });
  const clear = { kind: "clearShifts" as const, credential: entry.id };
  return {
    row,
    edits: [...grace, { kind: "rotation", row }, clear, ...shifts],
    shifts,
    progress: countStates(shifts.map((shift) => shift.row.state)),
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
