import { type Piece, pieceSchema, type Snapshot, snapshotSchema } from "@rport/protocol/events";
import { type Join, joinSchema } from "@rport/protocol/join";
import {
  type Client,
  type Credential,
  clientSchema,
  credentialSchema,
  type Secret,
  secretSchema,
  type Tunnel,
  tunnelSchema,
} from "@rport/protocol/model";
import { type Pairing, pairingSchema } from "@rport/protocol/pairing/model";
import { type Me, meSchema, type User, userSchema } from "@rport/protocol/people/user";
import { type Refusal, refusalSchema } from "@rport/protocol/refusal";

const AT = "2030-01-01T00:00:00Z";

/** A client that is online, with whatever a test wants different. */
export function client(id: string, changes: Record<string, unknown> = {}): Client {
  return clientSchema.parse({
    id,
    name: id,
    hostname: id,
    os: "linux",
    os_full_name: "Debian GNU/Linux 12",
    os_version: "12",
    os_arch: "amd64",
    os_family: "debian",
    os_kernel: "6.1",
    os_virtualization_system: "",
    os_virtualization_role: "",
    cpu_family: "",
    cpu_model: "",
    cpu_model_name: "",
    cpu_vendor: "",
    num_cpus: 2,
    mem_total: 4 * 1024 ** 3,
    timezone: "UTC",
    ipv4: ["10.0.0.5"],
    ipv6: [],
    tags: [],
    labels: {},
    version: "0.1.0",
    address: "203.0.113.9",
    client_auth_id: "fleet",
    connection_state: "connected",
    connected_at: AT,
    disconnected_at: null,
    last_heartbeat_at: AT,
    features: [],
    secret: null,
    ...changes,
  });
}

/** The same client offline. */
export function offline(id: string, changes: Record<string, unknown> = {}): Client {
  return client(id, { connection_state: "disconnected", disconnected_at: AT, ...changes });
}

/** A credential without clients. */
export function credential(id: string, changes: Record<string, unknown> = {}): Credential {
  return credentialSchema.parse({
    id,
    label: "",
    kind: "fleet",
    state: "active",
    created_at: AT,
    created_by: "admin",
    limits: {},
    clients_total: 0,
    clients_connected: 0,
    secrets_active: 0,
    secrets_grace: 0,
    last_used_at: null,
    rotated_at: null,
    rotation: null,
    ...changes,
  });
}

/** A tunnel of the server. */
export function tunnel(
  clientId: string,
  id: string,
  changes: Record<string, unknown> = {},
): Tunnel {
  return tunnelSchema.parse({
    id,
    client_id: clientId,
    name: "",
    protocol: "tcp",
    lhost: "127.0.0.1",
    lport: "20001",
    lport_random: true,
    owner: "admin",
    rhost: "127.0.0.1",
    rport: "22",
    scheme: null,
    acl: null,
    idle_timeout_minutes: 5,
    auto_close: 0,
    http_proxy: false,
    host_header: "",
    auth_user: "",
    tunnel_url: "",
    created_at: AT,
    connections: 0,
    ...changes,
  });
}

/** A pairing that waits. */
export function pairing(id: string, changes: Record<string, unknown> = {}): Pairing {
  return pairingSchema.parse({
    id,
    credential_id: "fleet",
    state: "active",
    created_at: AT,
    expires_at: "2030-01-01T00:10:00Z",
    uses: 1,
    uses_left: 1,
    claims: [],
    ...changes,
  });
}

/** A secret of `fleet`, as the server lists it. */
export function secret(id: string, changes: Record<string, unknown> = {}): Secret {
  return secretSchema.parse({
    id,
    credential_id: "fleet",
    origin: "pairing",
    state: "active",
    client_id: null,
    single_use: true,
    created_at: AT,
    last_used_at: null,
    expires_at: null,
    ...changes,
  });
}

/** A host that waits to be let in. */
export function join(id: string, changes: Record<string, unknown> = {}): Join {
  return joinSchema.parse({
    id,
    credential_id: "fleet",
    client_id: "machine-9",
    name: "web-09",
    hostname: "web-09.example.com",
    os_full_name: "Debian GNU/Linux 12",
    address: "192.0.2.7",
    at: AT,
    expires_at: "2030-01-01T01:10:00Z",
    ...changes,
  });
}

/** Agents that were turned away. */
export function refusal(id: string, changes: Record<string, unknown> = {}): Refusal {
  return refusalSchema.parse({
    id,
    reason: "wrong-secret",
    address: "192.0.2.66",
    auth_id: "fleet",
    client_id: null,
    hostname: null,
    count: 1,
    first_at: AT,
    last_at: AT,
    ...changes,
  });
}

/** More of a snapshot; the last, unless a test says otherwise. */
export function piece(parts: Partial<Piece> = {}): Piece {
  const lists = { clients: [], credentials: [], tunnels: [], pairings: [] };
  return pieceSchema.parse({ type: "piece", seq: 1, more: false, ...lists, ...parts });
}

/** What an event socket begins with. */
export function snapshot(parts: Partial<Snapshot> = {}): Snapshot {
  return snapshotSchema.parse({
    type: "snapshot",
    seq: 1,
    at: AT,
    server: {
      version: "0.1.0",
      clients_connected: 0,
      clients_disconnected: 0,
      fingerprint: "00:11",
      fingerprint_sha256: "SHA256:one",
      connect_url: ["http://127.0.0.1:8080"],
      pairing_url: "http://127.0.0.1:8080",
      clients_auth_source: "file",
      clients_auth_mode: "Read Write",
    },
    clients: [],
    credentials: [],
    tunnels: [],
    pairings: [],
    ...parts,
  });
}

/** A user as administrators see one. */
export function user(username: string, changes: Record<string, unknown> = {}): User {
  return userSchema.parse({
    username,
    password_expired: false,
    groups: ["operators"],
    two_fa_send_to: "",
    display_name: "",
    disabled: false,
    totp: false,
    recovery_codes: 0,
    created_at: AT,
    created_by: "admin",
    last_sign_in_at: AT,
    tokens: 1,
    sessions: 0,
    sockets: 0,
    ...changes,
  });
}

/** Whoever asks: somebody with an account, who may see clients and nothing more. */
export function me(changes: Record<string, unknown> = {}): Me {
  return meSchema.parse({
    username: "anna",
    groups: ["operators"],
    two_fa_send_to: "",
    group_permissions_enabled: true,
    effective_user_permissions: {},
    display_name: "",
    administrator: false,
    totp: false,
    recovery_codes: 0,
    account: true,
    ...changes,
  });
}
