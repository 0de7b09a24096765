import type { Client, Tunnel } from "@rport/protocol/model";
import type { ListSpec } from "../../lists/listSpec.ts";

/** A client's record, with its tunnels where they were asked for. */
export type ClientWithTunnels = Client & { readonly tunnels?: readonly Tunnel[] };

type Name = keyof Client & string;

const TEXT_COLUMNS = [
  "id",
  "name",
  "os",
  "os_arch",
  "os_family",
  "os_kernel",
  "os_full_name",
  "os_version",
  "os_virtualization_system",
  "os_virtualization_role",
  "cpu_family",
  "cpu_model",
  "cpu_model_name",
  "cpu_vendor",
  "num_cpus",
  "timezone",
  "hostname",
  "ipv4",
  "ipv6",
  "tags",
  "version",
  "address",
  "client_auth_id",
  "connection_state",
  "features",
  "groups",
  "allowed_user_groups",
] as const satisfies readonly Name[];

const TIME_COLUMNS = [
  "connected_at",
  "disconnected_at",
  "last_heartbeat_at",
] as const satisfies readonly Name[];

const SORT_COLUMNS = ["id", "name", "os", "hostname", "version"] as const satisfies readonly Name[];

type Field<K extends keyof ClientWithTunnels> = (client: ClientWithTunnels) => ClientWithTunnels[K];

const members = <K extends Name>(names: readonly K[]): { readonly [N in K]: Field<N> } =>
  Object.fromEntries(names.map((name) => [name, (client: Client) => client[name]])) as {
    [N in K]: Field<N>;
  };

/** RPort's columns that nothing stands behind here: they are empty, so that its scripts work. */
const EMPTY_FIELDS = {
  updates_status: () => null,
  ext_ip_addresses: () => null,
  ip_addresses: () => null,
  client_configuration: () => null,
};

/** Every member of a record, so that whoever lists clients can have them whole. */
const RECORD_FIELDS = {
  ...members(TEXT_COLUMNS),
  ...members(TIME_COLUMNS),
  labels: (client) => client.labels,
  mem_total: (client) => client.mem_total,
  secret: (client) => client.secret,
  rotation_state: (client) => client.rotation_state,
  revoked_at: (client) => client.revoked_at,
  host_key: (client) => client.host_key,
  host_key_change: (client) => client.host_key_change,
  connection_end: (client) => client.connection_end,
  looks_like: (client) => client.looks_like,
  duplicate: (client) => client.duplicate,
  left_out: (client) => client.left_out,
  terminal: (client) => client.terminal,
  said: (client) => client.said,
  tunnels: (client) => client.tunnels ?? [],
} satisfies { readonly [N in Name | "tunnels"]: Field<N> };

/** The client list in RPort's columns, plus `features` and the times as filters, and ours as fields. */
export const clientList: ListSpec<ClientWithTunnels> = {
  resource: "clients",
  filters: {
    ...members(TEXT_COLUMNS),
    ...members(TIME_COLUMNS),
    labels: ({ labels }) => Object.entries(labels).map(([key, value]) => `${key}: ${value}`),
  },
  times: TIME_COLUMNS,
  order: (client) => client.id,
  sorts: members(SORT_COLUMNS),
  fields: {
    ...RECORD_FIELDS,
    ...EMPTY_FIELDS,
  },
  defaultFields: ["id", "name", "hostname"],
};
