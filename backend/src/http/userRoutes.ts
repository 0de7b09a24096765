import { CLOSE_CODES } from "@rport/protocol/errors";
import { DIAL_PATH, EVENTS_PATH, TERMINAL_PATH } from "@rport/protocol/http";
import { type ClientId, clientIdSchema } from "@rport/protocol/ids";
import type { Right } from "@rport/protocol/people/right";
import type { Relays, Tally } from "@rport/protocol/wire/relay";
import type { WebSocket } from "ws";
import type { EditorEvents } from "../audit/editorEvents.ts";
import type { EventHub } from "../events/hub.ts";
import type { Sight } from "../events/sight.ts";
import { serveEvents } from "../events/socket.ts";
import type { RawQuery } from "../lists/listSpec.ts";
import type { Clock } from "../platform/clock.ts";
import { endingFault } from "../platform/faults.ts";
import type { Log } from "../platform/log.ts";
import type { TerminalOpenings } from "../terminals/terminalOpenings.ts";
import { serveTerminal, type ViewerSocketDeps } from "../terminals/viewerSocket.ts";
import type { Dial } from "../tunnels/dialer.ts";
import { editorTarget, requireClientId } from "../tunnels/editorTarget.ts";
import { serveEditorTunnel } from "../tunnels/editorTunnel.ts";
import type { Actor } from "../users/actor.ts";
import { type ClientAccess, requireClient } from "../users/clientAccess.ts";
import { requireSocket } from "../users/rights.ts";

/** Who opened a socket, and what was asked with it. */
export interface UserCall {
  readonly actor: Actor;
  readonly user: string;
  readonly address: string;
  readonly query: RawQuery;
}

/** A WebSocket that users may open. */
export interface UserRoute {
  /** Without its query. */
  readonly path: string;
  /** The parameters of its query, besides the token; with others the upgrade is refused. */
  readonly parameters: readonly string[];
  /** What a caller needs for it. */
  readonly right: Right;
  /** What bounds the bytes of one message of theirs. */
  readonly messageBytes: "watch_message_bytes" | "dial_message_bytes";
  /** Those who open it have nothing to say: the first message ends it. */
  readonly isOneWay: boolean;
  /** Serves one socket of a user who was let in. What it throws ends the socket, and is logged. */
  readonly serve: (socket: WebSocket, call: UserCall) => void | Promise<void>;
  /**
   * Called when a socket is granted; what it answers is asked whenever somebody's rights, or who
   * sees which clients, have changed.
   */
  readonly watch: (call: UserCall) => () => SocketEnd | undefined;
}

/** Why a socket that is open ends. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** What the users' sockets are served with. */
export interface UserRoutesDeps {
  readonly hub: EventHub;
  readonly access: ClientAccess;
  readonly sights: { of(actor: Actor): Sight };
  readonly dial: Dial;
  readonly relays: Relays;
  readonly terminalOpenings: Pick<TerminalOpenings, "open">;
  readonly terminalBytes: Tally;
  readonly clock: Clock;
  readonly log: Log;
  readonly editors: EditorEvents;
  readonly hostnameOf: (id: ClientId) => string | undefined;
}

/** Every WebSocket of the users' face, one entry each. */
export function userRoutes(deps: UserRoutesDeps): readonly UserRoute[] {
  return [
    {
      path: EVENTS_PATH,
      parameters: [],
      right: "user",
      messageBytes: "watch_message_bytes",
      isOneWay: true,
      serve: (socket, { actor }) => serveEvents(socket, deps.hub, deps.sights.of(actor)),
      watch: ({ actor }) => watchSight(actor, deps),
    },
    {
      path: DIAL_PATH,
      parameters: ["client_id", "host", "port"],
      right: "tunnels",
      messageBytes: "dial_message_bytes",
      isOneWay: false,
      serve: (socket, call) => serveDial(socket, call, deps),
      watch: (call) => watchClient(call, deps),
    },
    {
      path: TERMINAL_PATH,
      parameters: ["client_id"],
      right: "terminal",
      messageBytes: "dial_message_bytes",
      isOneWay: false,
      serve: (socket, call) => serveViewer(socket, call, deps),
      watch: (call) => watchClient(call, deps),
    },
  ];
}

function serveDial(
  socket: WebSocket,
  { actor, address, query }: UserCall,
  { access, editors, hostnameOf, dial, relays }: UserRoutesDeps,
): Promise<void> {
  const watchedDial = async () => {
    const { clientId, target } = editorTarget(query);
    requireClient(access, actor, clientId);
    const to = { clientId, hostname: hostnameOf(clientId), target };
    return await editors.watched({ user: actor, address }, to, () => dial(clientId, target, actor));
  };
  return serveEditorTunnel(socket, { dial: watchedDial, relays });
}

function serveViewer(
  socket: WebSocket,
  { actor, address, query }: UserCall,
  { access, terminalOpenings, terminalBytes, relays, clock, log }: UserRoutesDeps,
): Promise<void> {
  const open: ViewerSocketDeps["open"] = (opening, stream) => {
    const clientId = requireClientId(query);
    const requireRight = (): void => {
      requireSocket(actor, "terminal");
      requireClient(access, actor, clientId);
    };
    requireRight();
    return terminalOpenings.open({ clientId, actor, address, opening, requireRight }, stream);
  };
  const onFault = endingFault(log, "a terminal's socket", () => socket.terminate());
  return serveTerminal(socket, { open, relays, tally: terminalBytes, clock, onFault });
}

/** Whoever is in other groups than before takes a new snapshot, of what they may see now. */
function watchSight(actor: Actor, { sights }: Pick<UserRoutesDeps, "sights">) {
  const sight = sights.of(actor);
  const reason = "your groups have changed: connect again for a new snapshot";
  return () => (sights.of(actor) === sight ? undefined : { code: CLOSE_CODES.resync, reason });
}

function watchClient({ actor, query }: UserCall, { access }: Pick<UserRoutesDeps, "access">) {
  const client = clientIdSchema.safeParse(query.client_id);
  const reason = "There is no such client any more, or you may not see it.";
  return () => {
    const isSeen = !client.success || access.maySee(actor, client.data);
    return isSeen ? undefined : { code: CLOSE_CODES.refused, reason };
  };
}
