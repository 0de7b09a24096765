import type { SecretId } from "@rport/protocol/ids";
import type { Rotation } from "@rport/protocol/model";
import { toTime, toTimeOrNull } from "../platform/clock.ts";
import type { RotationRow, SecretRow } from "../store/secretRow.ts";
import type { LiveCredential } from "./liveCredential.ts";
import type { ClientRef } from "./session.ts";

/** How far the clients of a credential are with its rotation. */
export interface Progress {
  readonly moved: number;
  /** Clients that have a secret at all; those whose secret was revoked cannot move. */
  readonly total: number;
}

/** Counts the clients that use a new secret, and those that will have to. */
export function progressOf(live: LiveCredential, clients: readonly ClientRef[]): Progress {
  const states = clients.map((client) => stateOf(live, client));
  const moved = states.filter((state) => state === "active").length;
  return { moved, total: moved + states.filter((state) => state === "grace").length };
}

/** The rotation that is under way, as people see it. */
export function toRotation(live: LiveCredential, clients: readonly ClientRef[]): Rotation | null {
  const { rotation } = live;
  if (rotation === undefined || rotation.ended_at !== null) return null;
  return describeRotation(rotation, progressOf(live, clients));
}

/** A rotation and how far it is, as people see it. */
export function describeRotation(row: RotationRow, progress: Progress): Rotation {
  return {
    started_at: toTime(row.started_at),
    grace_ends_at: toTimeOrNull(row.grace_ends_at),
    ...progress,
    stragglers: 0,
  };
}

/**
 * A client's record may be one secret behind when the server ended right after the client had
 * confirmed: its own confirmed secret then tells.
 */
function stateOf(live: LiveCredential, client: ClientRef): SecretRow["state"] | undefined {
  const shown = stateOfSecret(live, client.secretId);
  if (shown === "active") return shown;
  const own = live.secretsOf(client.id).filter((row) => row.last_used_at !== null);
  return own.some((row) => row.state === "active") ? "active" : (shown ?? own.at(-1)?.state);
}

function stateOfSecret(live: LiveCredential, id: SecretId | null): SecretRow["state"] | undefined {
  return id === null ? undefined : live.secret(id)?.state;
}
