import type { TransportLimits } from "@rport/protocol/wire/transport";
import { createApp } from "./app.ts";
import { ServerLife } from "./audit/serverLife.ts";
import { AgentDoor } from "./clients/door/agentDoor.ts";
import { Pinger } from "./clients/session/pinger.ts";
import { removeEndpoint, writeEndpoint } from "./endpointFile.ts";
import { createHandlers } from "./http/handlers/handlers.ts";
import { createPeerOf } from "./http/peerAddress.ts";
import { UserSockets } from "./http/userSockets.ts";
import { isLocal, originAt, type Place, urlOf } from "./place.ts";
import { Listener } from "./server.ts";
import { openServices, type Services, type ServicesOptions } from "./services.ts";
import { editorTarget } from "./tunnels/editorTarget.ts";
import { serveEditorTunnel } from "./tunnels/editorTunnel.ts";
import { FailedLogins } from "./users/failedLogins.ts";
import { UserGate } from "./users/gate.ts";
import { UserTokens } from "./users/tokens.ts";

/** What a backend is made from. */
export interface BackendOptions extends ServicesOptions {
  /** Together they serve each face once. */
  readonly places: readonly Place[];
  /** Addresses and networks of the proxies in front, whose `X-Forwarded-For` counts. */
  readonly trustedProxies?: readonly string[];
  /** What agents' connections allow, where it differs from the usual. */
  readonly transportLimits?: Partial<TransportLimits>;
}

/** A running backend. */
export interface Backend extends AsyncDisposable, Services {
  /** Origin of the users' face, for programs on the same machine. */
  readonly url: string;
  /** The port of the users' face. */
  readonly port: number;
  /** Opens the users' face until this backend stops; also in the endpoint file. */
  readonly token: string;
  readonly tokens: UserTokens;
  readonly agentDoor: AgentDoor;
  /** Ends every connection and closes the data directory; a second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Starts a backend and resolves when it listens and its endpoint file is written. Throws a
 * `StartFailure` when it cannot; then nothing is left open.
 */
export async function createBackend(options: BackendOptions): Promise<Backend> {
  await using opened = new AsyncDisposableStack();
  const bound: Place[] = [];
  const services = await openServices(options, () => agentUrls(options, bound), opened);
  const tokens = new UserTokens();
  const { token } = tokens.issue("local");
  const { tunnels, auditing } = services;
  const agentEvents = auditing.agents;
  const agentDoor = new AgentDoor({ ...services, ...options, tunnels, agentEvents });
  const life = new ServerLife(auditing.audit);
  opened.defer(() => life.stopped());
  await openFaces({ options, services, tokens, agentDoor, bound }, opened);

  const pinger = new Pinger({ ...options, sessions: () => services.registry.liveSessions() });
  pinger.start();
  opened.defer(() => pinger.stop());
  const users = placeOf(bound, "users");
  await life.started(bound);
  const url = urlOf(users);
  const { paths, fingerprints } = services;
  opened.defer(() => removeEndpoint(paths.endpoint, token));
  await writeEndpoint(paths.endpoint, {
    url,
    token,
    pid: process.pid,
    fingerprint: fingerprints.sha256,
    md5Fingerprint: fingerprints.md5,
  });

  const closing = opened.move();
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closing.disposeAsync();
    return closed;
  };
  const own = { url, port: users.port, token, tokens, agentDoor };
  return { ...services, ...own, close, [Symbol.asyncDispose]: close };
}

interface FacesInput {
  readonly options: BackendOptions;
  readonly services: Services;
  readonly tokens: UserTokens;
  readonly agentDoor: AgentDoor;
  /** Filled with the places that are listened on, with their real ports. */
  readonly bound: Place[];
}

async function openFaces(input: FacesInput, opened: AsyncDisposableStack): Promise<void> {
  const { options, services, tokens, agentDoor, bound } = input;
  const { clock, log } = options;
  const { signIns, editors } = services.auditing;
  const gate = new UserGate(tokens, new FailedLogins(clock), signIns);
  const peerOf = createPeerOf(options.trustedProxies ?? [], log);
  const userSockets = new UserSockets({
    gate,
    peerOf,
    hub: services.hub,
    clock,
    log,
    serveDial: (socket, query, opener) => {
      void serveEditorTunnel(socket, async () => {
        const { clientId, target } = editorTarget(query);
        const hostname = services.registry.get(clientId)?.hostname;
        const to = { clientId, hostname, target };
        return await editors.watched(opener, to, () => services.dial(clientId, target));
      });
    },
  });
  const handlers = createHandlers({
    status: services.status,
    registry: services.registry,
    credentials: services.credentials,
    tunnels: services.tunnels,
    pairings: services.pairings,
    refusals: services.refusals,
    agentFiles: services.agentFiles,
    audit: services.auditing.audit,
    auditIndex: services.auditing.index,
    pairingTtlS: options.pairing.ttlS,
    installOrigin: (origin) => installOrigin(bound, origin),
  });
  const listeners: Listener[] = [];
  opened.defer(async () => {
    const closed = listeners.map((listener) => listener.close());
    userSockets.close();
    await Promise.all([agentDoor.close(), ...closed]);
  });
  for (const place of options.places) {
    const index = listeners.length;
    const localPort = () => (isLocal(place) ? bound[index]?.port : undefined);
    const doors = {
      onRequest: createApp(
        { ...services, handlers, gate, peerOf, clock, log },
        { ...place, localPort },
      ),
      isUsersSocket: (target: string) => userSockets.serves(target),
      users: (upgrade: Parameters<UserSockets["upgrade"]>[0]) =>
        userSockets.upgrade(upgrade, localPort()),
      agents: (upgrade: Parameters<UserSockets["upgrade"]>[0]) =>
        agentDoor.upgrade({ ...upgrade, ...peerOf(upgrade.request) }),
    };
    const listener = await Listener.open(place, doors, clock);
    listeners.push(listener);
    bound.push({ ...place, port: listener.port });
  }
}

function placeOf(bound: readonly Place[], face: "agents" | "users" | "pairing"): Place {
  const place = bound.find(({ faces }) => faces.has(face));
  if (place === undefined) throw new Error(`no address serves ${face}`);
  return place;
}

/** Where agents reach this server, as far as it can know. */
function agentUrls({ serverUrls }: BackendOptions, bound: readonly Place[]): readonly string[] {
  return serverUrls.length > 0 ? serverUrls : [urlOf(placeOf(bound, "agents"))];
}

/** Where a host would find installer and server, for somebody who reached us under `origin`. */
function installOrigin(bound: readonly Place[], origin: string): string {
  const agents = placeOf(bound, "agents");
  return agents.faces.has("users") ? origin : originAt(agents, origin);
}
