import { z } from "zod";
import { authIdSchema, secretIdSchema } from "./ids.ts";
import { REMOTES_MAX } from "./leftOut.ts";
import { terminalOfferSchema } from "./terminal/terminal.ts";

/** The WebSocket subprotocol of agents, byte for byte; a list with more in it is another one. */
export const SUBPROTOCOL = "rport-v1";

/**
 * Messages between agent and backend: SSH global requests with JSON payloads, in RPort's names.
 * Those marked as ours are extensions, sent only when both sides listed the feature they belong to.
 */
export const REQUESTS = {
  newConnection: "new_connection",
  putCapabilities: "put_capabilities",
  ping: "ping",
  checkPort: "check_port",
  checkTunnelAllowed: "check_tunnel_allowed",
  /** Ours, feature `rotate-secret`: the backend hands the agent its next secret. */
  rotateSecret: "rotate_secret",
  /** Ours, feature `host-key`: the agent shows that it has the key it named. */
  proveHostKey: "prove_host_key",
  /** Ours, feature `held-join`: a person is being asked whether the agent may come in. */
  holdJoin: "hold_join",
  /** Ours, feature `long-requests`: the agent tells how a request that it accepted has ended. */
  requestEnded: "request_ended",
  /** Ours, feature `listening-ports`: what listens on the host; see `tunnels/listening.ts`. */
  listeningPorts: "listening_ports",
  /** Ours, feature `terminal`: which terminals the host has; see `terminal/terminal.ts`. */
  listTerminals: "list_terminals",
  /** Ours, feature `terminal`: the host ends one. */
  endTerminal: "end_terminal",
  /** Ours, feature `terminal`: the agent tells how one ended; told again until it is answered. */
  terminalEnded: "terminal_ended",
} as const;

/** Requests a Go agent may send without an answer; accepted, and not used yet. */
export const SILENT_REQUESTS = [
  "cmd_result",
  "save_measurement",
  "updates_status",
  "ip_addresses",
] as const;

/** What an agent says in its goodbye when it was told to stop; the backend then shows the host as stopped. */
export const AGENT_STOPS = "the agent is stopping";

/** The failure text that both sides read as "I do not know this request". */
export const UNKNOWN_REQUEST = "unknown request";

/** Extensions of the agent connection; used only when both sides list them. */
export const FEATURES = {
  /** The agent stores a new secret and uses it from its next login on. */
  rotateSecret: "rotate-secret",
  /** End of file on one direction of a channel leaves the other open. */
  halfClose: "half-close",
  /** The agent names a key of its own host, and proves that it has it while it registers. */
  hostKey: "host-key",
  /** The agent waits for the answer to `new_connection` as long as it is told to. */
  heldJoin: "held-join",
  /** The agent accepts requests that take long at once, and tells their ends when they come. */
  longRequests: "long-requests",
  /** The agent tells which TCP ports of its host somebody listens on. */
  listeningPorts: "listening-ports",
  /** The agent opens terminals on its host. Listed by those alone whose configuration allows it. */
  terminal: "terminal",
} as const;

/** Every extension by its name, for those who speak all of them. */
export const ALL_FEATURES: readonly string[] = Object.values(FEATURES);

/**
 * What requests of feature `long-requests` may take: how many of them are under way at once on a
 * connection, and how long an agent works on one before it gives up.
 */
export const LONG_REQUESTS = { atOnce: 32, workMs: 15_000 } as const;

/** No answer of an agent to what the server asks is longer: 256 ports with their programs are the most there is. */
export const AGENT_ANSWER_MAX_BYTES = 131_072;

/** The type of channel the backend opens for each tunnel connection. */
export const TUNNEL_CHANNEL = "rport";

const text = z
  .string()
  .max(1_000)
  .nullish()
  .transform((value) => value ?? "");
const texts = z
  .array(z.string().max(1_000).nullable())
  .max(256)
  .nullish()
  .transform((list) => (list ?? []).filter((item) => item !== null));
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const count = z
  .number()
  .int()
  .nonnegative()
  .nullish()
  .transform((value) => value ?? 0);

/** RPort's tunnel description; ports are text. Missing keys are zero values. */
export const remoteSchema = z.object({
  name: text,
  protocol: z
    .enum(["tcp", "udp", "tcp+udp", ""])
    .nullish()
    .transform((value) => value || "tcp"),
  lhost: text,
  lport: text,
  lport_random: flag,
  owner: text,
  rhost: text,
  rport: text,
  scheme: z
    .string()
    .max(15)
    .nullish()
    .transform((value) => value ?? null),
  acl: z
    .string()
    .max(4_000)
    .nullish()
    .transform((value) => value ?? null),
  idle_timeout_minutes: count,
  auto_close: count,
  http_proxy: flag,
  host_header: text,
  auth_user: text,
  auth_password: text,
  tunnel_url: text,
});

/** RPort's tunnel description. */
export type RemoteMessage = z.infer<typeof remoteSchema>;

/**
 * First request of an agent. Null lists of Go become empty ones. The agent's
 * configuration is not taken over: in Go's form it contains the agent's password.
 */
export const connectionRequestSchema = z.object({
  ID: z
    .string()
    .max(128)
    .nullish()
    .transform((value) => value ?? ""),
  Name: text,
  SessionID: text,
  OS: text,
  OSFullName: text,
  OSVersion: text,
  OSVirtualizationSystem: text,
  OSVirtualizationRole: text,
  OSArch: text,
  OSFamily: text,
  OSKernel: text,
  Version: text,
  Hostname: text,
  CPUFamily: text,
  CPUModel: text,
  CPUModelName: text,
  CPUVendor: text,
  NumCPUs: count,
  MemoryTotal: z
    .number()
    .nonnegative()
    .nullish()
    .transform((value) => value ?? 0),
  Timezone: text,
  IPv4: texts,
  IPv6: texts,
  Tags: texts,
  Labels: z
    .record(z.string().max(256), z.string().max(1_000))
    .nullish()
    .transform((value) => value ?? {}),
  /** Each is a `RemoteMessage`; who gets it wrong is in without that tunnel. */
  Remotes: z
    .array(z.unknown())
    .max(REMOTES_MAX)
    .nullish()
    .transform((value) => value ?? []),
  /** Ours; a Go client does not send it. */
  Features: texts,
  /** Ours, feature `host-key`: see `hostKey.ts`. */
  HostKey: text,
  /** Ours: a hash of the machine's id; equal on a copy of a disk, and after a new installation. */
  MachineHint: text,
  /** Ours: whether there are terminals, as whom, or why not; nothing where it says something else. */
  Terminal: terminalOfferSchema.optional().catch(undefined),
});

/** First request of an agent, parsed. */
export type ConnectionRequest = z.infer<typeof connectionRequestSchema>;

/** Sent once to the agent after its `new_connection` was accepted. */
export const capabilitiesSchema = z.object({
  ServerVersion: text,
  MonitoringVersion: count,
  IPAddressesVersion: count,
  /** Ours; rportd does not send it. */
  Features: texts,
});

/** Sent once to the agent after its `new_connection` was accepted. */
export type Capabilities = z.infer<typeof capabilitiesSchema>;

/** Asks whether the agent's own rules allow a target; `Remote` is `host:port`. */
export const checkTunnelAllowedSchema = z.object({ Remote: z.string().min(1).max(300) });
/** Whether the agent's own rules allow a target. */
export const tunnelAllowedSchema = z.object({ IsAllowed: z.boolean() });

/** Asks the agent to open and close a TCP connection; `Timeout` in nanoseconds, 0 for none. */
export const checkPortSchema = z.object({
  HostPort: z.string().min(1).max(300),
  Timeout: z.number().int().nonnegative(),
});
/** Whether the port answered. */
export const portCheckedSchema = z.object({ Open: z.boolean(), ErrMsg: text });

/**
 * Hands the agent its next secret. The agent writes it to its configuration, durably, before it
 * answers; from its next login on it uses only this one. Sending the same one again is harmless.
 */
export const rotateSecretSchema = z.object({
  auth_id: authIdSchema,
  secret_id: secretIdSchema,
  /** Of the letters of base64url: the agent takes it out of its log, and so no sentence can be. */
  secret: z.string().regex(/^[A-Za-z0-9_-]{16,256}$/),
});
/** The agent has stored the secret `secret_id`. */
export const secretStoredSchema = z.object({ secret_id: secretIdSchema });

/** Asks for a signature over the text of `hostKeyProofText`; `nonce` is 32 bytes in base64url. */
export const proveHostKeySchema = z.object({ nonce: z.string().regex(/^[0-9A-Za-z_-]{43}$/) });
/** The Ed25519 signature, 64 bytes in base64. */
export const hostKeyProofSchema = z.object({ signature: z.base64().length(88) });

const longId = z.string().regex(/^[0-9A-Za-z_-]{1,32}$/);

/**
 * Part of a request that may be answered later; the backend chooses the id, another one for each
 * such request of a connection. Without it an agent answers in its turn.
 */
export const longRequestSchema = z.object({ long_id: longId });
/** Reply to a request with a `long_id`: its end will come as `request_ended`. */
export const acceptedSchema = z.object({ accepted: longId });
/** How a request ended that was accepted: what would have been its reply, or its refusal. */
export const requestEndedSchema = z.discriminatedUnion("ok", [
  z.object({ long_id: longId, ok: z.literal(true), result: z.looseObject({}) }),
  z.object({ long_id: longId, ok: z.literal(false), error: z.string().max(1_000) }),
]);
/** How a request ended that was accepted. */
export type RequestEnded = z.infer<typeof requestEndedSchema>;
