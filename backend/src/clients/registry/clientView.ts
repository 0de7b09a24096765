import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Client, Duplicate, RotationState } from "@rport/protocol/model";
import type { ClientSecret } from "../../credentials/admission/verdicts.ts";
import type { ClientRef } from "../../credentials/ports.ts";
import { toTimeOrNull } from "../../platform/clock.ts";
import type { ClientRecord } from "../../store/clientRecord.ts";

/** What others know of a record; asked only when it is shown. */
export interface RecordFacts {
  /** The secret as it is now; null when it is gone. */
  readonly secretOf: (credentialId: AuthId, secretId: SecretId) => ClientSecret | null;
  /** How far the client is in the rotation of its credential. */
  readonly rotationOf?: (credentialId: AuthId, id: ClientId) => RotationState | null;
}

/** What is known of a client beside its record. */
export interface Presence extends RecordFacts {
  readonly isConnected: boolean;
  readonly heardAtMs: number | null;
  readonly looksLike: ClientId | null;
  readonly duplicate: Duplicate | null;
}

/** A client as people see it. */
export function viewOf(record: ClientRecord, presence: Presence): Client {
  const { secret_id: secretId, tunnels: _tunnels, adopted: _adopted, ...kept } = record;
  const { machine_hint: _hint, first_seen_at: _first, heard_at: _heard, ...shown } = kept;
  return {
    ...shown,
    connection_state: presence.isConnected ? "connected" : "disconnected",
    last_heartbeat_at: toTimeOrNull(presence.heardAtMs),
    secret: secretId === null ? null : presence.secretOf(record.client_auth_id, secretId),
    rotation_state: presence.rotationOf?.(record.client_auth_id, record.id) ?? null,
    looks_like: presence.looksLike,
    duplicate: presence.duplicate,
  };
}

/** A client as far as credentials are concerned. */
export function refOf(record: ClientRecord, connected: boolean): ClientRef {
  const { id, name, hostname, features, tunnels } = record;
  return {
    id,
    name: name || hostname,
    connected,
    features,
    tunnels: tunnels.length,
    credentialId: record.client_auth_id,
    secretId: record.secret_id,
    isRevoked: record.revoked_at !== null,
  };
}
