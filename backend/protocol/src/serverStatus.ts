import { z } from "zod";
import { tlsPinSchema } from "./tls/tlsPin.ts";

/** A machine that the agent can be fetched for, such as `linux-arm64`; `node` is any with Node.js. */
export const agentTargetSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/);

const agentTargetsSchema = z.object({
  available: z.array(agentTargetSchema).max(64),
  /** What this release could have and has not. */
  missing: z.array(agentTargetSchema).max(64),
});

/** For which machines a server has an agent. */
export type AgentTargets = z.infer<typeof agentTargetsSchema>;

/** A certificate that the server speaks TLS with. */
export const certificateViewSchema = z.object({
  /** The section of the settings that names it. */
  section: z.enum(["server", "api"]),
  /** What its key is recognised by. */
  pin: tlsPinSchema,
  /** As the certificate says: `DNS:...` and `IP Address:...`. */
  names: z.string().max(16_384),
  expires_at: z.string().max(64),
  /** Whole ones; negative: it has expired. */
  days_left: z.number().int(),
  self_signed: z.boolean(),
});

/** A certificate that the server speaks TLS with. */
export type CertificateView = z.infer<typeof certificateViewSchema>;

/** Facts about the server, in RPort's field names plus the SHA-256 fingerprint. */
export const serverStatusSchema = z.object({
  version: z.string().max(64),
  clients_connected: z.number().int().nonnegative(),
  clients_disconnected: z.number().int().nonnegative(),
  /** From outside, of whatever kind, and how many were not taken, or made room. Ours. */
  connections: z
    .object({
      open: z.number().int().nonnegative(),
      max: z.number().int().nonnegative(),
      refused: z.number().int().nonnegative(),
    })
    .optional(),
  /** RPort's MD5 form. */
  fingerprint: z.string().max(64),
  /** `SHA256:` and base64 without padding, as OpenSSH prints it. */
  fingerprint_sha256: z.string().max(64),
  connect_url: z.array(z.string().max(500)).max(16),
  /**
   * Who gets through to the address that agents use: programs of the server's own machine, whoever
   * reaches any address of it, or whoever reaches one of them. Ours.
   */
  listens_to: z.enum(["this-machine", "all-addresses", "one-address"]).optional(),
  pairing_url: z.string().max(500),
  clients_auth_source: z.string().max(64),
  clients_auth_mode: z.enum(["Read Only", "Read Write"]),
  /** Fewest characters of a password that is typed for a credential. Ours. */
  client_auth_password_min_length: z.number().int().positive().optional(),
  /** For which machines hosts find an agent here. Ours. */
  agent_targets: agentTargetsSchema.optional(),
  /** What TLS is spoken with; empty: a proxy does, or nobody. Ours. */
  certificates: z.array(certificateViewSchema).max(4).optional(),
  /** What hosts recognise the server by that come by TLS; absent: they trust its certificate. Ours. */
  tls_pin: tlsPinSchema.optional(),
});

/** Facts about the server. */
export type ServerStatus = z.infer<typeof serverStatusSchema>;
