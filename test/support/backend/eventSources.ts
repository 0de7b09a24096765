import { ENTITY_NAMES } from "@rport/protocol/events";
import { type Pairing, pairingSchema } from "@rport/protocol/pairing/model";
import type { ServerStatus } from "@rport/protocol/serverStatus";
import type { EntitySources } from "../../../backend/src/events/sources.ts";

/** A server that nobody uses. */
export const STATUS: ServerStatus = {
  version: "1",
  clients_connected: 0,
  clients_disconnected: 0,
  fingerprint: "",
  fingerprint_sha256: "",
  connect_url: [],
  pairing_url: "",
  clients_auth_source: "",
  clients_auth_mode: "Read Write",
};

/** A pairing with this id. */
export const pairing = (id: string): Pairing =>
  pairingSchema.parse({
    id,
    credential_id: "fleet",
    state: "active",
    created_at: "2030-01-01T00:00:00Z",
    expires_at: "2030-01-01T00:10:00Z",
    uses: 1,
    uses_left: 1,
    claims: [],
  });

/** Sources of every kind of thing, of which there is none. */
export function emptySources(): EntitySources {
  const none = { ids: () => [], get: () => undefined };
  return Object.fromEntries(
    ENTITY_NAMES.map((entity) => [entity, none]),
  ) as unknown as EntitySources;
}
