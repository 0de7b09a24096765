import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import type { HostPort } from "@rport/protocol/remote";
import type { EditorEvents, StreamOpener } from "../audit/editorEvents.ts";
import type { AgentLink } from "../clients/liveSession.ts";
import { requireAllowed, requireOpen } from "./agentChecks.ts";
import { requireLink } from "./dialer.ts";

/** What trying a target needs. */
export interface ProbeDeps {
  readonly connected: (clientId: ClientId) => AgentLink | undefined;
  readonly hostnameOf: (clientId: ClientId) => string | undefined;
  /** A connection that is made to see whether it can be made is one, too. */
  readonly editors: Pick<EditorEvents, "watched">;
}

/** Who has a target tried. */
export interface Prober extends StreamOpener {
  /** Throws when they may no more: agents take a while to answer. */
  readonly requireRight: () => void;
}

/**
 * Has a client connect to a target and end the connection at once; resolves when that went well. Throws
 * `ERR_CODE_REMOTE_PORT_NOT_OPEN` with the client's words in `detail`, `TARGET_NOT_ALLOWED`,
 * `CLIENT_OFFLINE`, `AGENT_CANNOT` (it does not know the question), as a `Dial`, and as `requireRight`
 * before the client is asked more, and before its answer is told.
 */
export type Probe = (clientId: ClientId, target: HostPort, prober: Prober) => Promise<void>;

/** A `Probe` over whatever connection a client has at the time. */
export function createProbe({ connected, hostnameOf, editors }: ProbeDeps): Probe {
  return async (clientId, target, { user, address, requireRight }) => {
    const link = requireLink(connected(clientId));
    const asked = { target, asker: user, requireRight };
    const to = { clientId, hostname: hostnameOf(clientId), target };
    await editors.watched({ user, address }, to, async () => {
      await requireAllowed(link, asked);
      if (await requireOpen(link, asked)) return;
      throw new RportError("AGENT_CANNOT", "The client's agent does not know how to try a port.");
    });
  };
}
