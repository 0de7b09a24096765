import { z } from "zod";
import { listOf, mapOf } from "./asking/untilFault.ts";
import { authIdSchema, clientIdSchema, secretIdSchema, tunnelIdSchema } from "./ids.ts";
import { leftOutSchema, REMOTES_MAX } from "./leftOut.ts";
import { terminalOfferSchema } from "./terminal/terminal.ts";
import { givenTime, line, time } from "./texts.ts";

/**
 * Which secret a client last signed in with. `grace` means: it has not moved to the new one yet.
 */
export const clientSecretSchema = z.object({
  id: secretIdSchema,
  origin: z.enum(["initial", "typed", "pairing", "rotation"]),
  state: z.enum(["active", "grace", "revoked"]),
});

/**
 * How far a client is in its credential's rotation: `pending`, it needs a secret of its own;
 * `offered`, one was made and sent; `stored`, the agent has it on disk; `straggler`, it cannot be
 * moved (RPort's own client) or did not take what it was offered.
 */
export const rotationStateSchema = z.enum(["pending", "offered", "stored", "straggler"]);

/** How far a client is in its credential's rotation. */
export type RotationState = z.infer<typeof rotationStateSchema>;

/** Another live host that claims a client's id, and is refused. */
export const duplicateSchema = z.object({
  address: line,
  hostname: line,
  /** It shows the same host key: a copied disk, rather than a host that was set up twice. */
  same_host_key: z.boolean(),
  count: z.number().int().positive(),
  last_at: time,
});

/** Another live host that claims a client's id. */
export type Duplicate = z.infer<typeof duplicateSchema>;

/**
 * The last time a client's host key was not the one that was expected: `changed`, it showed another
 * one (set up anew, or somebody else with its credentials); `missing`, it showed none although it
 * had one before (RPort's own client, or somebody else); `added`, it showed one for the first time.
 */
export const hostKeyChangeSchema = z.object({
  kind: z.enum(["changed", "missing", "added"]),
  before: z.string().max(64).nullable(),
  at: time,
});

/** The last time a client's host key was not the one that was expected. */
export type HostKeyChange = z.infer<typeof hostKeyChangeSchema>;

/**
 * How a client's last connection ended: `stopped`, its agent was told to stop, or the host shut down
 * in order; `left`, its agent said goodbye for another reason; `lost`, the connection broke; `silent`,
 * there was no answer any more; `rules`, it broke a rule or a limit; `cut`, the server ended it;
 * `server`, the server itself ended. `text` says it in the words of the log.
 */
export const connectionEndSchema = z.object({
  kind: z.enum(["stopped", "left", "lost", "silent", "rules", "cut", "server"]),
  text: line,
});

/** How a client's last connection ended. */
export type ConnectionEnd = z.infer<typeof connectionEndSchema>;

/**
 * A host's record, in the field names of RPort's REST API, plus ours from `connected_at`,
 * `features` and `secret` on. Kept when the host goes offline.
 */
export const clientSchema = z.object({
  id: clientIdSchema,
  name: line,
  hostname: line,
  os: line,
  os_full_name: line,
  os_version: line,
  os_arch: line,
  os_family: line,
  os_kernel: line,
  os_virtualization_system: line,
  os_virtualization_role: line,
  cpu_family: line,
  cpu_model: line,
  cpu_model_name: line,
  cpu_vendor: line,
  num_cpus: z.number().int().nonnegative(),
  mem_total: z.number().nonnegative(),
  timezone: line,
  ipv4: z.array(line).max(256),
  ipv6: z.array(line).max(256),
  tags: z.array(line).max(256),
  labels: mapOf(line),
  version: line,
  address: line,
  client_auth_id: authIdSchema,
  connection_state: z.enum(["connected", "disconnected"]),
  connected_at: time.nullable(),
  disconnected_at: time.nullable(),
  last_heartbeat_at: time.nullable(),
  /** Extensions both sides listed; empty for a Go client. */
  features: z.array(z.string().max(64)).max(64),
  secret: clientSecretSchema.nullable(),
  /** Null: no rotation, or this client has moved. */
  rotation_state: rotationStateSchema.nullable().default(null),
  /** Since when no secret lets this client in, until somebody allows it again. */
  revoked_at: time.nullable().default(null),
  /**
   * `SHA256:` fingerprint of the key its agent made at its first join, the last one that was shown;
   * null: there was never one, as with a Go client.
   */
  host_key: z.string().max(64).nullable().default(null),
  host_key_change: hostKeyChangeSchema.nullable().default(null),
  /** Null while it is connected, and where it was not kept. */
  connection_end: connectionEndSchema.nullable().default(null),
  /** The machine behind it was seen under this other id, which is offline now. */
  looks_like: clientIdSchema.nullable().default(null),
  duplicate: duplicateSchema.nullable().default(null),
  left_out: z.array(leftOutSchema).max(REMOTES_MAX).default([]),
  /** What its agent says of terminals; null: it knows none, as a Go client. */
  terminal: terminalOfferSchema.nullable().default(null).catch(null),
  /** Groups of users who may see it, beside those of its `groups` of clients. */
  allowed_user_groups: z.array(line).max(64).default([]),
  /** What its agent says, where people gave it something else, which is what is shown. */
  said: z
    .object({
      name: line.optional(),
      tags: z.array(line).max(256).optional(),
      labels: mapOf(line).optional(),
    })
    .default({}),
  groups: listOf(line).default([]),
});

/** A host's record. */
export type Client = z.infer<typeof clientSchema>;

/** RPort's tunnel object as its REST API shows it, plus what ours adds at the end. */
export const tunnelSchema = z.object({
  id: tunnelIdSchema,
  client_id: clientIdSchema,
  name: z.string().max(200),
  protocol: z.enum(["tcp", "udp", "tcp+udp"]),
  lhost: z.string().max(255),
  lport: z.string().max(5),
  lport_random: z.boolean(),
  owner: z.string().max(200),
  rhost: z.string().max(255),
  rport: z.string().max(5),
  scheme: z.string().max(15).nullable(),
  acl: z.string().max(4_000).nullable(),
  idle_timeout_minutes: z.number().int().nonnegative(),
  /** Nanoseconds, as Go prints a duration; 0 means never. */
  auto_close: z.number().int().nonnegative(),
  http_proxy: z.boolean(),
  host_header: z.string().max(255),
  auth_user: z.string().max(255),
  tunnel_url: z.string().max(500),
  created_at: time,
  /** TCP connections that are open through the tunnel now. */
  connections: z.number().int().nonnegative(),
});

/** A tunnel whose listener is on the server. */
export type Tunnel = z.infer<typeof tunnelSchema>;

/**
 * New clients that a credential without a number of its own lets in: so many at once, then so many
 * per minute, or fewer from when one was refused until none was for an hour (`flooded_at`).
 */
export const USUAL_JOINS = { atOnce: 300, perMinute: 100, perMinuteFlooded: 10 } as const;

const agentTunnels = z.number().int().min(0).max(65_536);
/** Two ports, the first one not above the second. */
const portRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/)
  .refine((text) => {
    const [from = 0, to = 0] = text.split("-").map(Number);
    return from >= 1 && from <= to && to <= 65_535;
  }, "has to be two ports, such as 20000-20999");

/** Limits an administrator may set on a credential. */
export const credentialLimitsSchema = z.strictObject({
  max_clients: z.number().int().min(1).max(100_000).nullable().default(null),
  expires_at: time.nullable().default(null),
  cidrs: z.array(z.string().max(64)).max(64).default([]),
  /** Clients that were never seen with it, per minute, and at once; null: `USUAL_JOINS`. */
  joins_per_minute: z.number().int().min(1).max(100_000).nullable().default(null),
  /** A client that was never seen before waits until somebody approves it. */
  approval: z.boolean().default(false),
  /** Tunnels that its agents may ask for by themselves; null: as many as usual; 0: none. */
  agent_tunnels: agentTunnels.nullable().default(null),
  /** The ports of those, such as `20000-20999`; null: any that the server has for tunnels. */
  agent_ports: portRange.nullable().default(null),
});

/** The same as they are given with a new credential. */
export const givenLimitsSchema = credentialLimitsSchema.extend({
  expires_at: givenTime.nullable().default(null),
});

/** A change of limits: what is absent stays, null takes a limit away. */
export const credentialLimitsChangeSchema = z.strictObject({
  max_clients: z.number().int().min(1).max(100_000).nullable().optional(),
  expires_at: givenTime.nullable().optional(),
  cidrs: z.array(z.string().max(64)).max(64).optional(),
  joins_per_minute: z.number().int().min(1).max(100_000).nullable().optional(),
  approval: z.boolean().optional(),
  agent_tunnels: agentTunnels.nullable().optional(),
  agent_ports: portRange.nullable().optional(),
});

/** A change of limits. */
export type CredentialLimitsChange = z.infer<typeof credentialLimitsChangeSchema>;

/** Limits of a credential. */
export type CredentialLimits = z.infer<typeof credentialLimitsSchema>;

/** Nothing that somebody has set. */
export const NO_LIMITS: CredentialLimits = credentialLimitsSchema.parse({});

/** A rotation under way: how many of the credential's clients have moved to a new secret. */
export const rotationSchema = z.object({
  started_at: time,
  /** When the old secrets stop working; null: when every client has moved. */
  grace_ends_at: time.nullable(),
  moved: z.number().int().nonnegative(),
  total: z.number().int().nonnegative(),
  /** Clients that cannot be moved, or refused to. */
  stragglers: z.number().int().nonnegative().default(0),
});

/** A rotation under way. */
export type Rotation = z.infer<typeof rotationSchema>;

/** A credential as people see it. It never contains a secret. */
export const credentialSchema = z.object({
  id: authIdSchema,
  label: z.string().max(200),
  kind: z.enum(["host", "fleet"]),
  state: z.enum(["active", "revoked"]),
  created_at: time,
  created_by: z.string().max(200),
  limits: credentialLimitsSchema,
  clients_total: z.number().int().nonnegative(),
  clients_connected: z.number().int().nonnegative(),
  secrets_active: z.number().int().nonnegative(),
  secrets_grace: z.number().int().nonnegative(),
  last_used_at: time.nullable(),
  rotated_at: time.nullable(),
  rotation: rotationSchema.nullable(),
  /**
   * Since when more new clients come with it than `max_clients`, `joins_per_minute`, the room for
   * those that wait or the room for records allow; null again when none was refused for an hour.
   */
  flooded_at: time.nullable().default(null),
  /** Since when more new clients than usual were let in; null again an hour after the last one. */
  crowded_at: time.nullable().default(null),
});

/** A credential as people see it. */
export type Credential = z.infer<typeof credentialSchema>;

/** One secret of a credential, without its value: only a verifier of it is kept anywhere. */
export const secretSchema = z.object({
  id: secretIdSchema,
  credential_id: authIdSchema,
  origin: clientSecretSchema.shape.origin,
  state: clientSecretSchema.shape.state,
  client_id: clientIdSchema.nullable(),
  single_use: z.boolean(),
  created_at: time,
  last_used_at: time.nullable(),
  expires_at: time.nullable(),
});

/** One secret of a credential, without its value. */
export type Secret = z.infer<typeof secretSchema>;
