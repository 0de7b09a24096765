import { z } from "zod";
import { auditRowSchema } from "./audit.ts";
import { authIdSchema, clientIdSchema, pairingIdSchema, tunnelIdSchema } from "./ids.ts";
import {
  clientSchema,
  credentialLimitsSchema,
  credentialSchema,
  pairingSchema,
  refusalSchema,
  rotationSchema,
  secretSchema,
  serverStatusSchema,
  tunnelSchema,
} from "./model.ts";
import { deletionReportSchema, rotationClientSchema } from "./report.ts";

/** All routes of the users' face begin with this. */
export const API_PREFIX = "/api/v1";
/** The event socket, see `events.ts`. */
export const EVENTS_PATH = `${API_PREFIX}/events`;
/**
 * Editor tunnels: a WebSocket per TCP connection, `?client_id=&host=&port=`. Binary messages are
 * the bytes; an empty binary message is the end of that direction (half-close).
 */
export const DIAL_PATH = `${API_PREFIX}/ws/dial`;

/** Go's booleans in a query, as RPort takes them. */
const goBoolean = z
  .string()
  .regex(/^(1|0|t|f|true|false)$/i, "is not a boolean")
  .transform((text) => /^(1|t|true)$/i.test(text));

/** List parameters of RPort: `filter[x]`, `sort`, `fields[x]`, `page[limit]`, `page[offset]`. */
const listQuery = z.record(
  z.string().max(200),
  z.union([z.string().max(4_000), z.array(z.string().max(4_000))]),
);

/** One entry of the endpoint table. The router and the extension's client are both driven by it. */
export interface Endpoint {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `API_PREFIX`; `:name` marks a parameter, which travels percent-encoded. */
  readonly path: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodType;
  /** `undefined`: a request body is not read. */
  readonly body: z.ZodType | undefined;
  /** What stands in `data` of the answer; `undefined`: the answer has no body. */
  readonly output: z.ZodType | undefined;
  readonly status: 200 | 201 | 204;
}

/** A typed entry; `satisfies`-like, but keeps each schema's own type. */
function endpoint<const E extends Endpoint>(entry: E): E {
  return entry;
}

const none = z.object({});
const clientParams = z.object({ clientId: clientIdSchema });
const authParams = z.object({ authId: authIdSchema });
/** `dry_run=true`: only tell what would happen. */
const dryRun = z.strictObject({ dry_run: goBoolean.optional() });

/** A credential's first or further password: the only answer that ever contains it. */
export const newSecretSchema = z.object({
  id: authIdSchema,
  secret_id: z.string(),
  password: z.string(),
});

/** The pasted lines, made of constants only; each contains the token. */
export const pairingCommandsSchema = z.object({
  linux_curl: z.string(),
  linux_wget: z.string(),
});

/** The answer that creates a pairing: the only one that contains the token. */
export const newPairingSchema = z.object({
  pairing: pairingSchema,
  token: z.string(),
  /** Where the installer is told to go; flags such as `--prefix` may be appended to a command. */
  server_url: z.string(),
  script_url: z.string(),
  script_sha256: z.string(),
  commands: pairingCommandsSchema,
});

/** The answer that creates a pairing. */
export type NewPairing = z.infer<typeof newPairingSchema>;

const authIdText = z.string().max(128);

/** Every REST endpoint of the backend, once. */
export const ENDPOINTS = {
  getStatus: endpoint({
    method: "GET",
    path: "/status",
    params: none,
    query: none,
    body: undefined,
    output: serverStatusSchema,
    status: 200,
  }),
  listClients: endpoint({
    method: "GET",
    path: "/clients",
    params: none,
    query: listQuery,
    body: undefined,
    output: z.array(z.record(z.string(), z.unknown())),
    status: 200,
  }),
  getClient: endpoint({
    method: "GET",
    path: "/clients/:clientId",
    params: clientParams,
    query: listQuery,
    body: undefined,
    output: clientSchema.extend({ tunnels: z.array(tunnelSchema) }),
    status: 200,
  }),
  deleteClient: endpoint({
    method: "DELETE",
    path: "/clients/:clientId",
    params: clientParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  listCredentials: endpoint({
    method: "GET",
    path: "/clients-auth",
    params: none,
    query: listQuery,
    body: undefined,
    output: z.array(credentialSchema),
    status: 200,
  }),
  getCredential: endpoint({
    method: "GET",
    path: "/clients-auth/:authId",
    params: authParams,
    query: none,
    body: undefined,
    output: credentialSchema,
    status: 200,
  }),
  createCredential: endpoint({
    method: "POST",
    path: "/clients-auth",
    params: none,
    query: none,
    body: z.strictObject({
      /** Checked by the service, so that the refusal can say why. */
      id: authIdText,
      /** Absent: one is generated. Present: kept as a `typed` secret that many clients may share. */
      password: z.string().max(512).optional(),
      label: z.string().max(200).default(""),
      kind: z.enum(["host", "fleet"]).default("fleet"),
      limits: credentialLimitsSchema.prefault({}),
    }),
    output: newSecretSchema,
    status: 201,
  }),
  /** `force` also when clients use it; `report=true` answers 200 with a report instead of 204. */
  deleteCredential: endpoint({
    method: "DELETE",
    path: "/clients-auth/:authId",
    params: authParams,
    query: z.strictObject({
      force: goBoolean.optional(),
      purge: goBoolean.optional(),
      dry_run: goBoolean.optional(),
      report: goBoolean.optional(),
    }),
    body: undefined,
    output: deletionReportSchema,
    status: 200,
  }),
  listSecrets: endpoint({
    method: "GET",
    path: "/clients-auth/:authId/secrets",
    params: authParams,
    query: none,
    body: undefined,
    output: z.array(secretSchema),
    status: 200,
  }),
  addSecret: endpoint({
    method: "POST",
    path: "/clients-auth/:authId/secrets",
    params: authParams,
    query: none,
    body: z.strictObject({ password: z.string().max(512).optional() }),
    output: newSecretSchema,
    status: 201,
  }),
  /** Where each client stands; `rotation` is null and the list empty when none is under way. */
  getRotation: endpoint({
    method: "GET",
    path: "/clients-auth/:authId/rotation",
    params: authParams,
    query: none,
    body: undefined,
    output: z.object({
      rotation: rotationSchema.nullable(),
      clients: z.array(rotationClientSchema),
    }),
    status: 200,
  }),
  /** The old secrets stop now. The report says who is cut or, with `dry_run`, would be. */
  finishRotation: endpoint({
    method: "POST",
    path: "/clients-auth/:authId/rotation/finish",
    params: authParams,
    query: dryRun,
    body: undefined,
    output: deletionReportSchema,
    status: 200,
  }),
  /** The old secrets are as good as before; clients that have moved keep their new one. */
  cancelRotation: endpoint({
    method: "DELETE",
    path: "/clients-auth/:authId/rotation",
    params: authParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /** `grace_seconds` 0: old secrets stop as soon as every connected client has moved (or could not be moved); null: when every client has moved. */
  rotateCredential: endpoint({
    method: "POST",
    path: "/clients-auth/:authId/rotate",
    params: authParams,
    query: dryRun,
    body: z.strictObject({ grace_seconds: z.number().int().min(0).max(31_536_000).nullable() }),
    output: rotationSchema.extend({
      /** Connected clients that cannot be moved (Go clients): they need a fresh snippet. */
      unmovable: z.array(clientIdSchema),
      /** Where each client stands at the beginning. */
      clients: z.array(rotationClientSchema).default([]),
      /** Open pairings that end at once, because there is no grace. */
      pairings: z.number().int().nonnegative().default(0),
    }),
    status: 200,
  }),
  listTunnels: endpoint({
    method: "GET",
    path: "/tunnels",
    params: none,
    query: none,
    body: undefined,
    output: z.array(tunnelSchema),
    status: 200,
  }),
  createTunnel: endpoint({
    method: "PUT",
    path: "/clients/:clientId/tunnels",
    params: clientParams,
    query: z.object({
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
    }),
    body: undefined,
    output: tunnelSchema,
    status: 200,
  }),
  deleteTunnel: endpoint({
    method: "DELETE",
    path: "/clients/:clientId/tunnels/:tunnelId",
    params: z.object({ clientId: clientIdSchema, tunnelId: tunnelIdSchema }),
    query: z.object({ force: goBoolean.optional() }),
    body: undefined,
    output: undefined,
    status: 204,
  }),
  listPairings: endpoint({
    method: "GET",
    path: "/pairings",
    params: none,
    query: none,
    body: undefined,
    output: z.array(pairingSchema),
    status: 200,
  }),
  createPairing: endpoint({
    method: "POST",
    path: "/pairings",
    params: none,
    query: none,
    body: z.strictObject({
      credential_id: authIdText,
      ttl_seconds: z.number().int().min(60).max(3_600).optional(),
      uses: z.number().int().min(1).max(100).default(1),
      name: z.string().max(64).default(""),
      tags: z.array(z.string().min(1).max(64)).max(32).default([]),
    }),
    output: newPairingSchema,
    status: 201,
  }),
  revokePairing: endpoint({
    method: "DELETE",
    path: "/pairings/:pairingId",
    params: z.object({ pairingId: pairingIdSchema }),
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /** Who was not let in, and why, the newest first. */
  listRefusals: endpoint({
    method: "GET",
    path: "/refusals",
    params: none,
    query: none,
    body: undefined,
    output: z.array(refusalSchema),
    status: 200,
  }),
  clearRefusals: endpoint({
    method: "DELETE",
    path: "/refusals",
    params: none,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /** RPort's audit log: `filter[x]`, `sort` (also several), `page[limit]` to 100, newest first. */
  listAudit: endpoint({
    method: "GET",
    path: "/auditlog",
    params: none,
    query: listQuery,
    body: undefined,
    output: z.array(auditRowSchema),
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

/** Fills the parameters of a path, percent-encoded. */
export function pathOf(name: EndpointName, params: Record<string, string> = {}): string {
  const path = ENDPOINTS[name].path.replaceAll(/:(\w+)/g, (_, key: string) =>
    encodeURIComponent(params[key] ?? ""),
  );
  return API_PREFIX + path;
}
