import { AGENT_ANSWER_MAX_BYTES, FEATURES, REQUESTS } from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import {
  type ListeningAnswer,
  type ListeningPorts,
  listeningAnswerSchema,
} from "@rport/protocol/tunnels/listening";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import { peerText } from "@rport/protocol/wire/wireError";
import type { LiveSession } from "../clients/liveSession.ts";
import type { Sharer } from "../limits/sharer.ts";
import { asTrouble, requireLink } from "./dialer.ts";

const NOT_BY_AGENT = "The client's agent does not know how to tell what listens on its host.";
const NOT_BY_SYSTEM = "The client cannot find out what listens on its system.";
const OPTED_OUT =
  "The client does not tell what listens on it: its own configuration (tell_listening_ports) is against it.";

/** The connection of a client, as far as it matters here. */
type Listened = Pick<LiveSession, "features" | "askLong" | "isClosed">;

/**
 * Asks a client's agent what listens on its host, for a user. Throws `CLIENT_OFFLINE`, `AGENT_CANNOT` (it does
 * not know how), `AGENT_REFUSED` (its configuration is against it, or it failed), `AGENT_TIMEOUT`,
 * `TOO_MANY_REQUESTS` or `UNAVAILABLE` (the user asks, or all ask, too much at once), and, once the agent has
 * answered or failed to, as `requireRight`.
 */
export type Listening = (
  clientId: ClientId,
  user: Sharer,
  requireRight: () => void,
) => Promise<ListeningPorts>;

/** A `Listening` over whatever connection a client has at the time. */
export function createListening(
  connected: (clientId: ClientId) => Listened | undefined,
): Listening {
  return async (clientId, user, requireRight) => {
    const link = requireLink(connected(clientId));
    if (!link.features.includes(FEATURES.listeningPorts)) throw cannot(NOT_BY_AGENT);
    const answer = await asked(link, user, requireRight);
    if (answer.told) return { ports: answer.ports, left_out: answer.left_out };
    if (answer.why === "not-known") throw cannot(NOT_BY_SYSTEM);
    throw new RportError("AGENT_REFUSED", OPTED_OUT);
  };
}

async function asked(
  link: Listened,
  user: Sharer,
  requireRight: () => void,
): Promise<ListeningAnswer> {
  const asking = link.askLong(REQUESTS.listeningPorts, {}, user).finally(requireRight);
  const reply = await asking.catch((error: unknown) => {
    throw asTrouble(error);
  });
  if (!reply.ok) {
    const detail = peerText(reply.payload.toString("utf8"));
    throw new RportError("AGENT_REFUSED", "The client could not tell what listens on it.", {
      detail,
    });
  }
  const answer = listeningAnswerSchema.safeParse(
    parseJsonPayload(reply.payload, AGENT_ANSWER_MAX_BYTES),
  );
  if (answer.success) return answer.data;
  throw new RportError("AGENT_REFUSED", "The client's answer cannot be read.");
}

function cannot(title: string): RportError {
  return new RportError("AGENT_CANNOT", title);
}
