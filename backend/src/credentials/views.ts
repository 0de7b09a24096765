import type { Credential, Secret } from "@rport/protocol/model";
import { toTime, toTimeOrNull } from "../platform/clock.ts";
import { sooner } from "../store/secretEdit.ts";
import type { SecretRow } from "../store/secretRow.ts";
import { isExpired } from "./authenticator.ts";
import type { LiveCredential } from "./liveCredential.ts";
import { toRotation } from "./rotationProgress.ts";
import type { SessionPort } from "./session.ts";

/** What a credential's view takes from elsewhere. */
export interface CredentialFacts {
  readonly sessions: SessionPort;
  readonly nowMs: number;
  readonly floodedAt: string | null;
}

/** A credential as people see it. */
export function toCredential(
  live: LiveCredential,
  { sessions, nowMs, floodedAt }: CredentialFacts,
): Credential {
  const { salt: _, ...record } = live.record;
  const usable = live.secrets().filter((row) => !isExpired(row, nowMs));
  const clients = sessions.countOf(live.id);
  return {
    ...record,
    clients_total: clients.total,
    clients_connected: clients.connected,
    secrets_active: usable.filter((row) => row.state === "active").length,
    secrets_grace: usable.filter((row) => row.state === "grace").length,
    last_used_at: toTimeOrNull(lastUse(live)),
    rotated_at: toTimeOrNull(live.rotation?.started_at ?? null),
    rotation: toRotation(live, sessions.clientsOf(live.id)),
    flooded_at: floodedAt,
  };
}

/** One secret as people see it. */
export function toSecret(row: SecretRow): Secret {
  const unboundUntil = row.client_id === null ? row.unbound_until : null;
  return {
    id: row.id,
    credential_id: row.credential_id,
    origin: row.origin,
    state: row.state,
    client_id: row.client_id,
    single_use: row.single_use,
    created_at: toTime(row.created_at),
    last_used_at: toTimeOrNull(row.last_used_at),
    expires_at: toTimeOrNull(sooner(row.expires_at, unboundUntil)),
  };
}

function lastUse(live: LiveCredential): number | null {
  const times = live.secrets().flatMap((row) => row.last_used_at ?? []);
  return times.length === 0 ? null : times.reduce((one, other) => Math.max(one, other));
}
