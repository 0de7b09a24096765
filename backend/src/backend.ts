import { guardedClock } from "@rport/protocol/wire/guardedClock";
import type { TransportLimits } from "@rport/protocol/wire/transport";
import { ServerLife } from "./audit/serverLife.ts";
import { AgentDoor } from "./clients/door/agentDoor.ts";
import { Pinger } from "./clients/session/pinger.ts";
import {
  type Endpoint,
  offerEndpoint,
  removeEndpoint,
  removeStaleEndpoint,
} from "./endpointFile.ts";
import { type FacesDeps, openFaces } from "./faces.ts";
import { LoopDelay } from "./health/loopDelay.ts";
import { createPeerOf } from "./http/caller/peerAddress.ts";
import type { Handlers } from "./http/endpoints.ts";
import { createHandlers, type HandlerDeps } from "./http/handlers/handlers.ts";
import { RequestTurns } from "./http/requestTurns.ts";
import { UnreadAnswers } from "./http/unreadAnswers.ts";
import { UserSockets } from "./http/userSockets.ts";
import type { InstallationKind } from "./installation.ts";
import { ListSearches } from "./lists/listSearches.ts";
import { openGate } from "./opening/openGate.ts";
import { openHealth } from "./opening/openHealth.ts";
import { routesOf } from "./opening/routesOf.ts";
import type { ServicesOptions } from "./opening/servicesOptions.ts";
import { originAt, type Place, placeOf, reachOf, urlOf } from "./place.ts";
import { DescriptorWatch } from "./platform/descriptors.ts";
import { loggedFault } from "./platform/faults.ts";
import { LogBursts } from "./platform/logBursts.ts";
import { openServices, type Services, type Whereabouts } from "./services.ts";
import { type OpenTls, openTls } from "./tls/openTls.ts";
import type { UserGate } from "./users/gate.ts";
import type { Proofs } from "./users/proofs.ts";
import type { UserTokens } from "./users/tokens.ts";

/** What a backend is made from. */
export interface BackendOptions extends ServicesOptions {
  /** Told to editors of the same person. */
  readonly installation?: InstallationKind | undefined;
  /** Together they serve each face once. */
  readonly places: readonly Place[];
  /** What agents' connections allow, where it differs from the usual. */
  readonly transportLimits?: Partial<TransportLimits>;
}

/** A running backend. */
export interface Backend extends AsyncDisposable, Services {
  /** Origin of the users' face, for programs on the same machine. */
  readonly url: string;
  /** The port of the users' face. */
  readonly port: number;
  /** Where people are served. */
  readonly users: Place;
  /** Opens the users' face until this backend stops; also in the endpoint file. */
  readonly token: string;
  readonly tokens: UserTokens;
  /** The certificates that it speaks TLS with. */
  readonly tls: OpenTls;
  readonly agentDoor: AgentDoor;
  /** Ends every connection and closes the data directory; a second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Starts a backend and resolves when it listens and its endpoint file is written. Throws a
 * `StartFailure` when it cannot; then nothing is left open.
 */
export async function createBackend(given: BackendOptions): Promise<Backend> {
  const { log } = given;
  const clock = guardedClock(given.clock, loggedFault(log, "a timer"));
  const options: BackendOptions = { ...given, clock };
  await using opened = new AsyncDisposableStack();
  const bound: Place[] = [];
  let tls: OpenTls | undefined;
  const where = () => whereabouts(options, bound, tls);
  const services = await openServices(options, where, opened);
  const { tokens, token, proofs, gate } = openGate(services, clock);
  const agentDoor = createAgentDoor(options, services);
  const { presence, auditing, paths, requireHeld, fingerprints } = services;
  const { sha256: fingerprint, md5: md5Fingerprint } = fingerprints;
  const life = new ServerLife(auditing.audit);
  opened.defer(() => life.stopped());
  await removeStaleEndpoint(paths.endpoint);
  const strangers = new LogBursts(options);
  opened.defer(() => strangers.close());
  const loopDelay = opened.use(new LoopDelay());
  const { places, serverUrls } = options;
  tls = await openTls(places, { ...services, strangers, serverUrls, clock, log }, opened);
  const entrance = { gate, proofs, strangers, agentDoor, loopDelay, bound, tls };
  await openFaces(facesDeps(options, services, entrance), bound, opened);

  const pinger = new Pinger({
    clock,
    sessions: () => presence.connectedSessions(),
    onFault: loggedFault(log, "a round of pings"),
  });
  pinger.start();
  opened.defer(() => pinger.stop());
  watchDescriptors(options, services, opened);
  await life.started(bound, services.lostChanges);
  const users = placeOf(bound, "users");
  const url = urlOf(users);
  opened.defer(() => removeEndpoint(paths.endpoint, token));
  const certificate = tls.certificateAt(users);
  const told = (): Endpoint => {
    const tlsPin = certificate?.pair.pin;
    const { installation } = options;
    return { url, token, pid: process.pid, fingerprint, md5Fingerprint, tlsPin, installation };
  };
  const written = { path: paths.endpoint, requireHeld };
  const offer = await offerEndpoint(told, { ...written, certificate, clock, log });
  opened.defer(() => offer.close());

  const closing = opened.move();
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closing.disposeAsync();
    return closed;
  };
  return {
    ...services,
    url,
    users,
    port: users.port,
    token,
    tokens,
    tls,
    agentDoor,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Without descriptors connections cannot be accepted, and the runtime tells nobody. */
function watchDescriptors(
  { clock, descriptors }: BackendOptions,
  { limits }: Services,
  opened: AsyncDisposableStack,
): void {
  const watch = new DescriptorWatch(clock, () => limits.bite("descriptors_kept", { descriptors }));
  watch.start();
  opened.defer(() => watch.stop());
}

function createAgentDoor(
  { clock, log, transportLimits }: BackendOptions,
  {
    registry,
    presence,
    credentials,
    tunnels,
    hostTerminals: terminals,
    serverKey,
    refusals,
    pairings: paired,
    auditing,
    limits,
    sockets,
  }: Services,
): AgentDoor {
  return new AgentDoor({
    registry,
    presence,
    credentials,
    tunnels,
    terminals,
    serverKey,
    refusals,
    paired,
    agentEvents: auditing.agents,
    limits,
    sockets,
    transportLimits,
    clock,
    log,
  });
}

interface Entrance {
  readonly gate: UserGate;
  readonly proofs: Proofs;
  readonly strangers: LogBursts;
  readonly agentDoor: AgentDoor;
  readonly loopDelay: LoopDelay;
  /** The places that are listened on, as soon as they are. */
  readonly bound: readonly Place[];
  readonly tls: OpenTls;
}

/** Who stands behind the faces. */
function facesDeps(
  options: BackendOptions,
  services: Services,
  { gate, proofs, strangers, agentDoor, loopDelay, bound, tls }: Entrance,
): FacesDeps {
  const { places, serverUrls, trustedProxies = [], pairing, clock, log } = options;
  const peerOf = createPeerOf(trustedProxies, log);
  const { sockets, limits } = services;
  const onUser = (...one: Parameters<typeof sockets.vouchFor>) => sockets.vouchFor(...one);
  const routes = routesOf(services, { clock, log });
  const handlers = handlersOf(services, {
    clock,
    hasServerUrls: serverUrls.length > 0,
    pairingTtlS: pairing.ttlS,
    installOrigin: (origin) => installOrigin(bound, origin),
    searches: new ListSearches({ limits, clock }),
    changes: services.accounts.changes,
  });
  const userSockets = new UserSockets({
    gate,
    peerOf,
    routes,
    onUser,
    counts: services.accounts.sockets,
    limits,
    clock,
    strangers,
    log,
  });
  services.grants.follow(() => userSockets.reviewSoon());
  services.accounts.ledger.watchRights(() => userSockets.review());
  const { audit } = services.auditing;
  const door = agentDoor.counters;
  const facts = { ...services, audit, gate, door, userSockets, loopDelay, tls };
  const { readiness, figures } = openHealth(options, facts);
  const rest = { handlers, gate, proofs, peerOf, onUser, strangers, readiness, figures };
  const answers = new UnreadAnswers(limits);
  const turns = new RequestTurns({ clock, onFault: loggedFault(log, "a request") });
  const app = { ...appOf(services), ...rest, access: services.access, answers, turns, clock, log };
  return { places, serverUrls, agentDoor, userSockets, sockets, limits, tls: tls.of, app };
}

/** What handlers need that is no service. */
type HandlerFacts =
  | "clock"
  | "hasServerUrls"
  | "pairingTtlS"
  | "installOrigin"
  | "searches"
  | "changes";

function handlersOf(services: Services, facts: Pick<HandlerDeps, HandlerFacts>): Handlers {
  return createHandlers({
    status: (actor) => services.sights.of(actor).server(services.status()),
    access: services.access,
    clientGroups: services.clientGroups,
    grants: services.grants,
    seenParams: services.seenParams,
    registry: services.registry,
    clients: services.clients,
    adoptions: services.adoptions,
    credentials: services.credentials,
    tunnels: services.tunnels,
    terminals: services.terminals,
    recordings: services.recordings,
    listening: services.listening,
    probe: services.probe,
    pairings: services.pairings,
    pairingService: services.pairingService,
    refusals: services.refusals,
    agentFiles: services.agentFiles,
    accounts: services.accounts,
    audit: services.auditing.audit,
    auditIndex: services.auditing.index,
    administration: services.administration,
    ...facts,
  });
}

/** What of the services is served as it is. */
function appOf({ embedded, agentFiles, downloads, auditing }: Services) {
  const { audit } = auditing;
  return { deposits: embedded.deposits, agentFiles, downloads, audit };
}

/** Where agents reach this server, as far as it can know. */
function whereabouts(
  { serverUrls, places }: BackendOptions,
  bound: readonly Place[],
  tls: OpenTls | undefined,
): Whereabouts {
  const agents = placeOf(places, "agents");
  const known = serverUrls.length > 0 ? serverUrls : [urlOf(placeOf(bound, "agents"))];
  return {
    serverUrls: known,
    listensTo: reachOf(agents),
    certificates: tls?.views(),
    tlsPin: tls?.pinAt(agents),
  };
}

/** Where a host would find installer and server, for somebody who reached us under `origin`. */
function installOrigin(bound: readonly Place[], origin: string): string {
  const agents = placeOf(bound, "agents");
  return agents.faces.has("users") ? origin : originAt(agents, origin);
}
