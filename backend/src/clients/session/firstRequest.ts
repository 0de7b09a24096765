import { randomUUID } from "node:crypto";
import { type ConnectionRequest, connectionRequestSchema, FEATURES } from "@rport/protocol/agent";
import { type AgentHostKey, decodeHostKey } from "@rport/protocol/hostKey";
import { type ClientId, clientIdSchema } from "@rport/protocol/ids";
import { beginningOf } from "@rport/protocol/ownText";
import { type AgentVersion, parseAgentVersion } from "./agentVersion.ts";
import { Refused } from "./refused.ts";

/** Largest `new_connection`, as in RPort (`max_request_bytes_client`). */
const REQUEST_MAX_BYTES = 512 << 10;

/** What a session remembers of its agent's introduction. */
export interface Identity {
  readonly id: ClientId;
  readonly version: AgentVersion;
  /** What the agent's process calls itself; empty when it says nothing. */
  readonly agentSessionId: string;
  /** Extensions the agent listed. */
  readonly features: readonly string[];
}

/** A `new_connection` that is well-formed. */
export interface FirstRequest {
  readonly identity: Identity;
  readonly request: ConnectionRequest;
  /** The key it names, which is still to be proven; undefined for agents that have none. */
  readonly hostKey: AgentHostKey | undefined;
}

/** Parses a `new_connection`. Throws `Refused`. */
export function parseFirstRequest(payload: Buffer): FirstRequest {
  if (payload.length > REQUEST_MAX_BYTES) {
    throw Refused.protocol("the connection request is too large");
  }
  const request = parseRequest(payload);
  const id = clientIdSchema.safeParse(request.ID || randomUUID());
  if (!id.success) throw Refused.protocol("the client id is not valid");
  const version = parseAgentVersion(request.Version);
  if (version === undefined) {
    const shown = beginningOf(request.Version, 64);
    throw Refused.protocol(`failed to determine client version: malformed version: ${shown}`);
  }
  const { SessionID: agentSessionId, Features: features } = request;
  const hostKey = namedHostKey(request);
  return { identity: { id: id.data, version, agentSessionId, features }, request, hostKey };
}

/** Without the feature nobody asks for a proof of it. */
function namedHostKey({ Features, HostKey }: ConnectionRequest): AgentHostKey | undefined {
  if (!Features.includes(FEATURES.hostKey)) return undefined;
  const key = decodeHostKey(HostKey);
  if (key === undefined) throw Refused.protocol("the host key is not an Ed25519 key");
  return key;
}

function parseRequest(payload: Buffer): ConnectionRequest {
  try {
    const parsed = connectionRequestSchema.safeParse(JSON.parse(payload.toString("utf8")));
    if (parsed.success) return parsed.data;
    const field = parsed.error.issues[0]?.path.join(".") ?? "";
    throw Refused.protocol(`the connection request is not valid: ${field}`);
  } catch (caught) {
    if (caught instanceof Refused) throw caught;
    throw Refused.protocol("the connection request is not JSON");
  }
}
