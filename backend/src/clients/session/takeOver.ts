import { randomUUID } from "node:crypto";
import { type ConnectionRequest, connectionRequestSchema } from "@rport/protocol/agent";
import { type ClientId, clientIdSchema } from "@rport/protocol/ids";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import type { LiveSession } from "../liveSession.ts";
import type { Claimant } from "../registry/duplicates.ts";
import type { ClientRegistry } from "../registry/registry.ts";
import { type AgentVersion, parseAgentVersion } from "./agentVersion.ts";

/** Largest `new_connection`, as in RPort (`max_request_bytes_client`). */
const REQUEST_MAX_BYTES = 512 << 10;
/** How long the connection before may take to show that it is alive. */
const RIVAL_PING_MS = 3_000;
/** A client that must not be pinged counts as alive while it was heard of within its own interval. */
const RIVAL_SILENCE_MS = 210_000;

/** What a refused host is told to do, after RPort's own words. */
const ADVICE = {
  copy: "Both show the same host key, so one is a copy of the other: enroll the copy with --new-id.",
  other: 'Only one host can have this client id: give this one another, with --new-id or "id".',
};

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
export interface Introduction {
  readonly identity: Identity;
  readonly request: ConnectionRequest;
}

/** Parses a `new_connection`. Throws `RequestRefused` with a text for the agent. */
export function parseIntroduction(payload: Buffer): Introduction {
  if (payload.length > REQUEST_MAX_BYTES) {
    throw new RequestRefused("the connection request is too large");
  }
  const request = parseRequest(payload);
  const id = clientIdSchema.safeParse(request.ID || randomUUID());
  if (!id.success) throw new RequestRefused("the client id is not valid");
  const version = parseAgentVersion(request.Version);
  if (version === undefined) {
    const shown = request.Version.slice(0, 64);
    throw new RequestRefused(`failed to determine client version: malformed version: ${shown}`);
  }
  const { SessionID: agentSessionId, Features: features } = request;
  return { identity: { id: id.data, version, agentSessionId, features }, request };
}

function parseRequest(payload: Buffer): ConnectionRequest {
  try {
    const parsed = connectionRequestSchema.safeParse(JSON.parse(payload.toString("utf8")));
    if (parsed.success) return parsed.data;
    const field = parsed.error.issues[0]?.path.join(".") ?? "";
    throw new RequestRefused(`the connection request is not valid: ${field}`);
  } catch (error) {
    if (error instanceof RequestRefused) throw error;
    throw new RequestRefused("the connection request is not JSON");
  }
}

/**
 * Makes the claimant the one that speaks for its client id. The same process on the same host that
 * comes again replaces its old connection; another one does so only when the old connection does
 * not answer. It is noted as a duplicate and refused otherwise (`RequestRefused`), in RPort's words
 * and with what to do about it.
 */
export async function takeOver(registry: ClientRegistry, claimant: Claimant): Promise<void> {
  const { id, session } = claimant;
  for (;;) {
    const moving = registry.moving(id);
    if (moving !== undefined) {
      await moving;
      continue;
    }
    const rival = registry.holder(id);
    if (rival === undefined) break;
    if (rival === session) return;
    if (!isSameProcess(rival, session) && !rival.isClosed && (await isAlive(rival))) {
      throw duplicate(registry, claimant, rival);
    }
    rival.cut("replaced by a new connection of the same client");
    if (registry.holder(id) === rival) break;
  }
  if (!session.isClosed) registry.hold(id, session);
}

function duplicate(
  registry: ClientRegistry,
  { id, session, address, hostname }: Claimant,
  rival: LiveSession,
): RequestRefused {
  const sameHostKey = session.hostKey !== undefined && session.hostKey === rival.hostKey;
  registry.duplicates.note(id, { address, hostname, sameHostKey });
  const name = registry.get(id)?.name ?? "";
  const advice = sameHostKey ? ADVICE.copy : ADVICE.other;
  return new RequestRefused(`client is already connected: ${name} [${id}]. ${advice}`);
}

/** Who knows the id of a process does not thereby have the key of its host. */
function isSameProcess(rival: LiveSession, session: LiveSession): boolean {
  const isSameId = session.agentSessionId !== "" && session.agentSessionId === rival.agentSessionId;
  return isSameId && session.hostKey === rival.hostKey;
}

async function isAlive(rival: LiveSession): Promise<boolean> {
  if (!rival.canBePinged) return rival.silentMs < RIVAL_SILENCE_MS;
  return await rival.ping(RIVAL_PING_MS);
}
