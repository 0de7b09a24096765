import { z } from "zod";
import { listOf } from "./asking/untilFault.ts";
import { ATTRIBUTE_ENDPOINTS } from "./attributes.ts";
import { auditRowSchema } from "./audit.ts";
import { CREDENTIAL_ENDPOINTS } from "./credentialEndpoints.ts";
import {
  clientParams,
  dryRun,
  endpoint,
  goBoolean,
  listQuery,
  none,
  reportable,
} from "./endpointEntry.ts";
import { clientIdSchema, tunnelIdSchema } from "./ids.ts";
import { JOIN_ENDPOINTS } from "./joinEndpoints.ts";
import { clientSchema, tunnelSchema } from "./model.ts";
import { PAIRING_ENDPOINTS } from "./pairing/endpoints.ts";
import { ACCESS_ENDPOINTS } from "./people/accessEndpoints.ts";
import { ME_ENDPOINTS } from "./people/meEndpoints.ts";
import { SIGN_IN_ENDPOINTS } from "./people/signInEndpoints.ts";
import { USER_ENDPOINTS } from "./people/userEndpoints.ts";
import { refusalSchema } from "./refusal.ts";
import { deletionReportSchema } from "./report.ts";
import { serverStatusSchema } from "./serverStatus.ts";
import { TERMINAL_ENDPOINTS } from "./terminal/endpoints.ts";
import { RECORDING_ENDPOINTS } from "./terminal/recording.ts";
import { LISTENING_ENDPOINTS } from "./tunnels/listening.ts";
import { TRAFFIC_ENDPOINTS } from "./tunnels/traffic.ts";

/** All routes of the users' face begin with this. */
export const API_PREFIX = "/api/v1";
/** The event socket, see `events.ts`. */
export const EVENTS_PATH = `${API_PREFIX}/events`;
/**
 * Editor tunnels: a WebSocket per TCP connection, `?client_id=&host=&port=`. Binary messages are
 * the bytes; an empty binary message is the end of that direction (half-close).
 */
export const DIAL_PATH = `${API_PREFIX}/ws/dial`;
/**
 * Viewers of terminals: a WebSocket each, `?client_id=`. Binary messages carry frames, see
 * `terminal/frame.ts`; where one message ends and the next begins means nothing.
 */
export const TERMINAL_PATH = `${API_PREFIX}/ws/terminal`;

/** Every REST endpoint of the backend, once. */
export const ENDPOINTS = {
  getStatus: endpoint({
    method: "GET",
    path: "/status",
    right: "user",
    params: none,
    query: none,
    body: undefined,
    output: serverStatusSchema,
    status: 200,
  }),
  listClients: endpoint({
    method: "GET",
    path: "/clients",
    right: "user",
    params: none,
    query: listQuery,
    body: undefined,
    output: listOf(z.record(z.string(), z.unknown())),
    status: 200,
  }),
  getClient: endpoint({
    method: "GET",
    path: "/clients/:clientId",
    right: "user",
    params: clientParams,
    query: listQuery,
    body: undefined,
    output: clientSchema.extend({ tunnels: listOf(tunnelSchema) }),
    status: 200,
  }),
  /**
   * Only of a client that is not connected; `report=true` answers 200 with a report. The record is what
   * knows the host by its key, and who sees it: without it whoever has the secret may come in its place.
   */
  deleteClient: endpoint({
    method: "DELETE",
    path: "/clients/:clientId",
    right: "administrator",
    params: clientParams,
    query: reportable,
    body: undefined,
    output: deletionReportSchema,
    status: 200,
  }),
  /** No secret lets the host in from now on, and those that only it may use are revoked. */
  revokeClient: endpoint({
    method: "POST",
    path: "/clients/:clientId/revoke",
    right: "administrator",
    params: clientParams,
    query: dryRun,
    body: undefined,
    output: deletionReportSchema,
    status: 200,
  }),
  /** Lets the host in again, with a secret that is not revoked. */
  allowClient: endpoint({
    method: "DELETE",
    path: "/clients/:clientId/revoke",
    right: "administrator",
    params: clientParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /**
   * The host behind `from`, which is offline, is this client now: name, tags, labels, tunnels and
   * secrets of that record go over to this one, and the record itself goes.
   */
  adoptClient: endpoint({
    method: "POST",
    path: "/clients/:clientId/adopt",
    right: "administrator",
    params: clientParams,
    query: none,
    body: z.strictObject({ from: clientIdSchema }),
    output: clientSchema,
    status: 200,
  }),
  ...CREDENTIAL_ENDPOINTS,
  ...PAIRING_ENDPOINTS,
  ...JOIN_ENDPOINTS,
  ...SIGN_IN_ENDPOINTS,
  ...ME_ENDPOINTS,
  ...USER_ENDPOINTS,
  ...ACCESS_ENDPOINTS,
  ...ATTRIBUTE_ENDPOINTS,
  ...LISTENING_ENDPOINTS,
  ...TRAFFIC_ENDPOINTS,
  ...TERMINAL_ENDPOINTS,
  ...RECORDING_ENDPOINTS,
  listTunnels: endpoint({
    method: "GET",
    path: "/tunnels",
    right: "tunnels",
    params: none,
    query: none,
    body: undefined,
    output: listOf(tunnelSchema),
    status: 200,
  }),
  createTunnel: endpoint({
    method: "PUT",
    path: "/clients/:clientId/tunnels",
    right: "tunnels",
    params: clientParams,
    query: z.strictObject({
      remote: z.string().min(1).max(300),
      local: z.string().max(300).optional(),
      protocol: z.string().max(20).optional(),
      name: z.string().max(200).optional(),
      scheme: z.string().max(200).optional(),
      acl: z.string().max(4_000).optional(),
      check_port: z.string().max(10).optional(),
      "idle-timeout-minutes": z.string().max(10).optional(),
      "skip-idle-timeout": goBoolean.optional(),
      "auto-close": z.string().max(30).optional(),
      /** RPort's proxy in front of a tunnel, and what belongs to it: asked for, it is refused. */
      http_proxy: z.union([z.literal(""), goBoolean]).optional(),
      host_header: z.string().max(300).optional(),
      auth_user: z.string().max(300).optional(),
      auth_password: z.string().max(300).optional(),
    }),
    body: undefined,
    output: tunnelSchema,
    status: 200,
  }),
  deleteTunnel: endpoint({
    method: "DELETE",
    path: "/clients/:clientId/tunnels/:tunnelId",
    right: "tunnels",
    params: z.object({ clientId: clientIdSchema, tunnelId: tunnelIdSchema }),
    query: z.strictObject({ force: goBoolean.optional() }),
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /** Who was not let in, and why, the newest first. */
  listRefusals: endpoint({
    method: "GET",
    path: "/refusals",
    right: "administrator",
    params: none,
    query: none,
    body: undefined,
    output: listOf(refusalSchema),
    status: 200,
  }),
  clearRefusals: endpoint({
    method: "DELETE",
    path: "/refusals",
    right: "administrator",
    params: none,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /** RPort's audit log: `filter[x]`, `sort` (also several), `page[limit]` to 100, oldest first. */
  listAudit: endpoint({
    method: "GET",
    path: "/auditlog",
    right: "auditlog",
    params: none,
    query: listQuery,
    body: undefined,
    output: listOf(auditRowSchema),
    status: 200,
  }),
} as const;

/** The name of an endpoint. */
export type EndpointName = keyof typeof ENDPOINTS;

type Inferred<S> = S extends z.ZodType ? z.output<S> : undefined;
type Given<S> = S extends z.ZodType ? z.input<S> : undefined;

/** What a handler gets: everything parsed. */
export interface EndpointInput<N extends EndpointName> {
  readonly params: z.output<(typeof ENDPOINTS)[N]["params"]>;
  readonly query: z.output<(typeof ENDPOINTS)[N]["query"]>;
  readonly body: Inferred<(typeof ENDPOINTS)[N]["body"]>;
}

/** What a caller gives. */
export interface EndpointCall<N extends EndpointName> {
  readonly params?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: Given<(typeof ENDPOINTS)[N]["body"]>;
}

/** What stands in `data` of the answer. */
export type EndpointOutput<N extends EndpointName> = Inferred<(typeof ENDPOINTS)[N]["output"]>;

/** Largest request body, in bytes. */
export const BODY_MAX_BYTES = 65_536;
/** The same where no token is needed: room for a name and two passwords, however they are written. */
export const OPEN_BODY_MAX_BYTES = 16_384;

/** Fills the parameters of a path, percent-encoded. */
export function pathOf(name: EndpointName, params: Record<string, string> = {}): string {
  const path = ENDPOINTS[name].path.replaceAll(/:(\w+)/g, (_, key: string) =>
    encodeURIComponent(params[key] ?? ""),
  );
  return API_PREFIX + path;
}
