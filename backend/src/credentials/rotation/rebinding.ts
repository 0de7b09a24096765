import type { ClientId } from "@rport/protocol/ids";
import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import { CAME_LATE } from "./progress.ts";

/** A client whose record is taken over into that of another one: they are the same host. */
export interface Adoption {
  readonly from: ClientId;
  readonly to: ClientId;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * What becomes of a credential's secrets. Those that only the host may use stay its own under its
 * new id, so that whoever revokes it there revokes all of them. In a rotation they count as old
 * ones, because the host may have come back without them; nothing waits for its former id, and it is
 * no stranger to the rotation under its new one.
 */
export function secretEditsOf(entry: LedgerEntry, adoption: Adoption): SecretEdit[] {
  const { from, to: clientId, nowMs: atMs } = adoption;
  const credential = entry.id;
  const own = entry.secretsOf(from).filter(({ state }) => state !== "revoked");
  const rebound = own.map(
    ({ id }): SecretEdit => ({ kind: "rebind", credential, id, from, clientId }),
  );
  const { rotation } = entry;
  const isRotating = rotation?.ended_at === null;
  const endsAtMs = rotation?.grace_ends_at ?? null;
  const old = isRotating
    ? own.map(({ id }): SecretEdit => ({ kind: "grace", credential, id, atMs, endsAtMs }))
    : [];
  return [...rebound, ...old, ...placeEdits(entry, adoption)];
}

function placeEdits(entry: LedgerEntry, { from, to, nowMs }: Adoption): SecretEdit[] {
  const row = entry.shiftOf(from);
  if (row === undefined) return [];
  const clear: SecretEdit = { kind: "clearShifts", credential: entry.id, client: from };
  const own = entry.shiftOf(to);
  if (row.reason === CAME_LATE || (own !== undefined && own.reason !== CAME_LATE)) return [clear];
  const fresh = { state: "pending", reason: "", secret_id: null, changed_at: nowMs } as const;
  return [clear, { kind: "shift", row: { ...row, ...fresh, client_id: to } }];
}
