import type { Duplex } from "node:stream";
import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import { beginningOf } from "@rport/protocol/ownText";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import { WireError } from "@rport/protocol/wire/wireError";
import type { AgentLink } from "../clients/liveSession.ts";
import type { Sharer } from "../limits/sharer.ts";
import type { Clock } from "../platform/clock.ts";

/**
 * Opens a stream to a target as the client sees it. Throws `CLIENT_OFFLINE`,
 * `TARGET_NOT_ALLOWED` (the agent's rules say no), `AGENT_REFUSED`, `AGENT_TIMEOUT` or
 * `UNAVAILABLE` (too many streams), or `CONFLICT` (too many of the user's). RPort's own agents confirm first and connect afterwards: for
 * them, a target that cannot be reached is a stream that closes at once.
 */
export type Dial = (clientId: ClientId, target: HostPort, user?: Sharer) => Promise<Duplex>;

/** Opens a stream over one connection; throws like `Dial`. */
export type LinkDial = (link: AgentLink, target: HostPort, user?: Sharer) => Promise<Duplex>;

/** How long an agent may take to say yes or no; its own attempt to connect included. */
const OPEN_MS = 30_000;

/** A `Dial` over whatever connection a client has at the time. */
export function createDial(
  connected: (clientId: ClientId) => AgentLink | undefined,
  dialLink: LinkDial,
): Dial {
  return async (clientId, target, user) => dialLink(requireLink(connected(clientId)), target, user);
}

/** A `LinkDial` with a deadline. */
export function createLinkDial(clock: Clock): LinkDial {
  return (link, target, user) =>
    openedInTime(clock, link.openChannel(target, user), (error) => asRefusal(error, target));
}

/**
 * A channel that an agent is asked for. Rejects with `AGENT_TIMEOUT` when it takes too long to say yes
 * or no, and closes one that comes later; `refusal` puts what went wrong into the words of our API.
 */
export function openedInTime(
  clock: Clock,
  opening: Promise<Duplex>,
  refusal: (error: unknown) => RportError,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const timer = clock.after(OPEN_MS, () => {
      isOver = true;
      reject(timedOut());
    });
    opening.then(
      (channel) => {
        timer.cancel();
        if (isOver) channel.destroy();
        else resolve(channel);
      },
      (error: unknown) => {
        timer.cancel();
        reject(refusal(error));
      },
    );
  });
}

/** The connection itself; throws `CLIENT_OFFLINE` when there is none. */
export function requireLink<L extends Pick<AgentLink, "isClosed">>(link: L | undefined): L {
  if (link !== undefined && !link.isClosed) return link;
  throw new RportError("CLIENT_OFFLINE", "The client is not connected.");
}

/** What an agent answered, or failed to answer, in the words of our API. */
export function asRefusal(error: unknown, target: HostPort): RportError {
  if (!(error instanceof WireError) || error.kind !== "refused") return asTrouble(error);
  const place = formatHostPort(target);
  if (error.message.includes("not allowed")) return notAllowed(target);
  const detail = beginningOf(error.message, 500);
  return new RportError("AGENT_REFUSED", `The client could not open ${place}.`, { detail });
}

/** Why an agent did not answer at all, in the words of our API. */
export function asTrouble(error: unknown): RportError {
  if (!(error instanceof WireError)) return RportError.from(error);
  if (error.kind === "limit") {
    return new RportError("UNAVAILABLE", "The client has too many open streams or requests.");
  }
  if (error.kind === "timeout") return timedOut();
  return new RportError("CLIENT_OFFLINE", "The client disconnected.", { cause: error });
}

function timedOut(): RportError {
  return new RportError("AGENT_TIMEOUT", "The client did not answer in time.");
}

/** The agent's own rules are against a target. */
export function notAllowed(target: HostPort): RportError {
  return new RportError(
    "TARGET_NOT_ALLOWED",
    `The client refuses ${formatHostPort(target)}: its own configuration (tunnel_allowed) does not allow it.`,
  );
}
