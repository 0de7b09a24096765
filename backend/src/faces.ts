import { type AppDeps, createApp } from "./app.ts";
import { AgentDoor } from "./clients/door/agentDoor.ts";
import type { PeerOf } from "./http/caller/peerAddress.ts";
import type { LocalMode } from "./http/caller/siteGuard.ts";
import type { UpgradeDoor } from "./http/upgrade.ts";
import type { UserSockets } from "./http/userSockets.ts";
import type { Limits } from "./limits/limits.ts";
import { isLocal, type Place, schemeOf } from "./place.ts";
import { Listener } from "./server.ts";
import type { OpenSockets } from "./sockets/openSockets.ts";
import type { ListenerTls } from "./tls/openTls.ts";

/** Who stands behind the addresses. */
export interface FacesDeps {
  /** Together they serve each face once. */
  readonly places: readonly Place[];
  /** Under these names a proxy on the same machine may address a place in local mode. */
  readonly serverUrls: readonly string[];
  readonly app: AppDeps;
  readonly agentDoor: AgentDoor;
  readonly userSockets: UserSockets;
  readonly sockets: OpenSockets;
  readonly limits: Pick<Limits, "max" | "bite">;
  /** What a place speaks TLS with; undefined: it does not. */
  readonly tls: (place: Place) => ListenerTls | undefined;
}

/**
 * Listens at every place; `bound` gets them one by one, with their real ports. Throws a
 * `StartFailure` when one cannot be had. `opened` ends every connection of theirs.
 */
export async function openFaces(
  deps: FacesDeps,
  bound: Place[],
  opened: AsyncDisposableStack,
): Promise<void> {
  const { places, serverUrls, app, agentDoor, userSockets, sockets, limits, tls } = deps;
  const names = serverUrls.map((url) => new URL(url).hostname);
  const { clock, log, strangers } = app;
  const listeners: Listener[] = [];
  opened.defer(async () => {
    const closed = listeners.map((listener) => listener.close());
    userSockets.close();
    await Promise.all([agentDoor.close(), ...closed]);
  });
  for (const place of places) {
    const index = listeners.length;
    const localMode = (): LocalMode | undefined => {
      const port = isLocal(place) ? bound[index]?.port : undefined;
      return port === undefined ? undefined : { port, scheme: schemeOf(place), names };
    };
    const onRequest = createApp(app, { faces: place.faces, localMode });
    const doors = doorsOf(place, deps, localMode);
    const listener = await Listener.open(place, {
      onRequest,
      doors,
      sockets,
      limits,
      tls: tls(place),
      clock,
      log,
      strangers,
    });
    listeners.push(listener);
    bound.push({ ...place, port: listener.port });
  }
}

function doorsOf(
  { faces }: Place,
  { app, agentDoor, userSockets }: FacesDeps,
  localMode: () => LocalMode | undefined,
): UpgradeDoor[] {
  const doors: UpgradeDoor[] = [];
  if (faces.has("agents")) doors.push(doorOfAgents(agentDoor, app.peerOf));
  if (faces.has("users")) doors.push(...userSockets.doors(localMode));
  return doors;
}

function doorOfAgents(agentDoor: AgentDoor, peerOf: PeerOf): UpgradeDoor {
  return {
    takes: (request) => AgentDoor.isAgent(request),
    upgrade({ request, socket, head }) {
      const { address, isShared } = peerOf(request);
      agentDoor.upgrade({ request, socket, head, address, isShared });
    },
  };
}
