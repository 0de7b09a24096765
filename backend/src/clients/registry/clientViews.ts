import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Client, RotationState } from "@rport/protocol/model";
import type { ClientSecret } from "../../credentials/admission/verdicts.ts";
import { toTimeOrNull } from "../../platform/clock.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";
import type { LiveSession } from "../liveSession.ts";
import { withoutUndefined } from "./attributes.ts";
import type { LocalPresence } from "./presence.ts";
import type { ClientRegistry } from "./registry.ts";

/** What a client's view is made of. */
export interface ClientViewsDeps {
  readonly registry: Pick<ClientRegistry, "record" | "records" | "earlierOf" | "duplicates">;
  readonly presence: Pick<LocalPresence<LiveSession>, "connected" | "lastHeardAtMs">;
  /** The groups of clients that the client is in. */
  readonly groupsOf: (id: ClientId) => readonly string[];
  readonly credentials: {
    /** The secret as it is now; undefined when it is gone. */
    clientSecret(credentialId: AuthId, secretId: SecretId): ClientSecret | undefined;
    /** How far the client is in the rotation of its credential. */
    rotationState(credentialId: AuthId, id: ClientId): RotationState | undefined;
  };
}

/** Clients as people see them: their records with what is known beside those. */
export class ClientViews {
  readonly #deps: ClientViewsDeps;

  constructor(deps: ClientViewsDeps) {
    this.#deps = deps;
  }

  /** One client. */
  get(id: ClientId): Client | undefined {
    const record = this.#deps.registry.record(id);
    return record && this.#view(record);
  }

  /** The ids of all clients, in no particular order; to be read while they come and go. */
  *ids(): Generator<ClientId> {
    for (const { id } of this.#deps.registry.records()) yield id;
  }

  /** The clients for which `fits` holds, in no particular order; to be read as `ids` are. */
  *list(fits: (id: ClientId) => boolean = () => true): Generator<Client> {
    for (const record of this.#deps.registry.records()) {
      if (fits(record.id)) yield this.#view(record);
    }
  }

  #view(record: ClientRecord): Client {
    const { registry, presence, credentials, groupsOf } = this.#deps;
    const { secret_id: secretId, tunnels: _tunnels, adopted: _adopted, given, ...kept } = record;
    const { machine_hint: _hint, first_seen_at: _first, heard_at: _heard, ...shown } = kept;
    const { id, client_auth_id: authId } = record;
    const session = presence.connected(id);
    const secret = secretId === null ? undefined : credentials.clientSecret(authId, secretId);
    return {
      ...shown,
      connection_state: session === undefined ? "disconnected" : "connected",
      last_heartbeat_at: toTimeOrNull(presence.lastHeardAtMs(id)),
      secret: secret ?? null,
      rotation_state: credentials.rotationState(authId, id) ?? null,
      looks_like: registry.earlierOf(record) ?? null,
      duplicate: registry.duplicates.get(id) ?? null,
      groups: [...groupsOf(id)],
      said: withoutUndefined({
        name: given.name?.said,
        tags: given.tags?.said,
        labels: given.labels?.said,
      }),
    };
  }
}
