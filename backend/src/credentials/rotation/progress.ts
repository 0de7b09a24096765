import { FEATURES } from "@rport/protocol/agent";
import type { ClientId, SecretId } from "@rport/protocol/ids";
import type { Rotation, RotationState } from "@rport/protocol/model";
import type { RotationClient } from "@rport/protocol/report";
import { toTime, toTimeOrNull } from "../../platform/clock.ts";
import type { ShownTimes } from "../../platform/steadyTime.ts";
import type { RotationRow, SecretRow } from "../../store/records/secretRow.ts";
import type { ShiftRow } from "../../store/records/shiftRow.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientRef } from "../ports.ts";

/** Why a client that is no agent of ours has to be visited. */
export const CANNOT_SHIFT =
  "Its agent cannot be handed another secret: give it a fresh pairing before the old one ends.";
/** Why a client that was offered a secret still has the old one. */
export const NOT_CONFIRMED =
  "Its agent did not confirm that it stored the new secret; it is asked again every minute.";
/** Why a client is handed nothing that the credential did not have when its rotation began. */
export const CAME_LATE =
  "It came during the rotation, with an old secret that others may know: give it a fresh pairing.";
/** Why a client that was offered a secret is back at the start. */
export const WENT_AWAY = "It went away before it confirmed its new secret.";

/** What is known of a client without a row of its own. */
const REASONS: Partial<Record<ShiftRow["state"], string>> = { straggler: CAME_LATE };

/** How far the clients of a credential are with its rotation. */
export interface Progress {
  readonly moved: number;
  /** Clients that have a secret at all; those whose secret was revoked cannot move. */
  readonly total: number;
  readonly stragglers: number;
}

/** Counts the clients that use a new secret, and those that will have to. */
export function progressOf(entry: LedgerEntry, clients: readonly ClientRef[]): Progress {
  return countStates(rotationClients(entry, clients).map(({ state }) => state));
}

/** Counts where clients stand. */
export function countStates(states: readonly ShiftRow["state"][]): Progress {
  const count = (wanted: ShiftRow["state"]): number =>
    states.filter((state) => state === wanted).length;
  return { moved: count("done"), total: states.length, stragglers: count("straggler") };
}

/** The rotation that is under way, as people see it. */
export function toRotation(
  entry: LedgerEntry,
  clients: readonly ClientRef[],
  times: ShownTimes,
): Rotation | undefined {
  const { rotation } = entry;
  if (rotation === undefined || rotation.ended_at !== null) return undefined;
  return describeRotation(rotation, progressOf(entry, clients), times);
}

/** A rotation and how far it is, as people see it. */
export function describeRotation(
  { started_at: startedAt, grace_ends_at: endsAt }: RotationRow,
  progress: Progress,
  times: ShownTimes,
): Rotation {
  return {
    started_at: toTime(times.past(startedAt)),
    grace_ends_at: toTimeOrNull(endsAt === null ? null : times.steady(endsAt)),
    ...progress,
  };
}

/**
 * Where each client stands in the rotation that is under way; empty when there is none. A crash may
 * have cost the record of a client that had just come for the first time: its row still tells that
 * it has to be waited for.
 */
export function rotationClients(
  entry: LedgerEntry,
  clients: readonly ClientRef[],
): RotationClient[] {
  if (entry.rotation === undefined || entry.rotation.ended_at !== null) return [];
  const known = clients.flatMap((client) => standingOf(entry, client) ?? []);
  const ids = new Set(clients.map(({ id }) => id));
  const lost = entry.shifts().filter((row) => !ids.has(row.client_id));
  return [...known, ...lost.map((row) => lostStanding(entry, row))];
}

/** Where a client stands; undefined: nothing is waited for. To be asked while a rotation is under way. */
export function standingOf(entry: LedgerEntry, client: ClientRef): RotationClient | undefined {
  const state = shiftStateOf(entry, client);
  return state && standing(entry, client, state);
}

/** The same for one that has a row, and no record under this credential. */
export function lostStanding(entry: LedgerEntry, row: ShiftRow): RotationClient {
  const client = {
    id: row.client_id,
    name: "",
    connected: false,
    secretId: undefined,
    isRevoked: false,
  };
  return standing(entry, client, shiftStateOf(entry, client) ?? row.state);
}

function standing(
  entry: LedgerEntry,
  { id, name, connected }: Pick<ClientRef, "id" | "name" | "connected">,
  state: ShiftRow["state"],
): RotationClient {
  const row = entry.shiftOf(id);
  const reason = row?.state === state ? row.reason : (REASONS[state] ?? "");
  return { id, name, connected, state, reason };
}

/** Whether a rotation that waits for everybody waits for it; strangers could hold it up for ever. */
export function isWaitedFor({ state, reason }: Pick<ShiftRow, "state" | "reason">): boolean {
  return state !== "done" && reason !== CAME_LATE;
}

/**
 * Whether a client that stands on this secret may be handed another one: the credential had it when
 * the rotation began, or the secret is its own. Whoever knows an old password that hosts share would
 * otherwise get a secret that outlives it.
 */
export function mayBeShifted(
  entry: LedgerEntry,
  client: ClientId,
  secretId: SecretId | undefined,
): boolean {
  if (secretId !== undefined && entry.secret(secretId)?.client_id === client) return true;
  const row = entry.shiftOf(client);
  return row !== undefined && row.reason !== CAME_LATE;
}

/** What the client's record shows; undefined: no rotation is under way, or the client has moved. */
export function rotationStateOf(entry: LedgerEntry, client: ClientRef): RotationState | undefined {
  if (entry.rotation === undefined || entry.rotation.ended_at !== null) return undefined;
  const state = shiftStateOf(entry, client);
  return state === "done" ? undefined : state;
}

/**
 * Where a client stands; undefined: no secret lets it in, or none that could be replaced. The secrets decide
 * whether it has moved, its row tells how far it is on the way.
 */
export function shiftStateOf(entry: LedgerEntry, client: Stander): ShiftRow["state"] | undefined {
  if (client.isRevoked) return undefined;
  const state = stateOf(entry, client);
  if (state === "active") return "done";
  if (state !== "grace") return undefined;
  if (!mayBeShifted(entry, client.id, client.secretId)) return "straggler";
  const row = entry.shiftOf(client.id);
  return row === undefined || row.state === "done" ? "pending" : row.state;
}

/** Where a client begins when its credential's secrets are put in grace. */
export function firstShift(
  entry: LedgerEntry,
  client: ClientRef,
  atMs: number,
): ShiftRow | undefined {
  const state = stateOf(entry, client);
  if (client.isRevoked || (state !== "active" && state !== "grace")) return undefined;
  const before = entry.shiftOf(client.id);
  if (before?.reason === CAME_LATE) return before;
  const isShiftable = client.features.includes(FEATURES.rotateSecret);
  return {
    credential_id: entry.id,
    client_id: client.id,
    state: isShiftable ? "pending" : "straggler",
    reason: isShiftable ? "" : CANNOT_SHIFT,
    secret_id: null,
    changed_at: atMs,
  };
}

type Stander = Pick<ClientRef, "id" | "secretId" | "isRevoked">;

function stateOf(entry: LedgerEntry, client: StoodOn): SecretRow["state"] | undefined {
  return secretStoodOn(entry, client)?.state;
}

type StoodOn = Pick<ClientRef, "id" | "secretId">;

/**
 * The secret that a client stands on, or last stood on. Its record may be one secret behind when the
 * server ended right after the client had confirmed: its own confirmed secret then tells.
 */
export function secretStoodOn(entry: LedgerEntry, client: StoodOn): SecretRow | undefined {
  const shown = client.secretId === undefined ? undefined : entry.secret(client.secretId);
  if (shown?.state === "active") return shown;
  const own = entry.secretsOf(client.id).filter((row) => row.last_used_at !== null);
  return own.find((row) => row.state === "active") ?? shown ?? own.at(-1);
}
