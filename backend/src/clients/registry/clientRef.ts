import type { ClientRef } from "../../credentials/ports.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

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
    secretId: record.secret_id ?? undefined,
    isRevoked: record.revoked_at !== null,
    hostKey: record.host_key ?? undefined,
    mayLackKey: record.host_key_change?.kind === "missing",
  };
}
