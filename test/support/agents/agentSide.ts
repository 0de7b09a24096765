import { authIdSchema, type ClientId, secretIdSchema } from "@rport/protocol/ids";
import { Relays } from "@rport/protocol/wire/relay";
import { TunnelEvents } from "../../../backend/src/audit/tunnelEvents.ts";
import { AgentDoor, type AgentDoorDeps } from "../../../backend/src/clients/door/agentDoor.ts";
import type { LiveSession } from "../../../backend/src/clients/liveSession.ts";
import type { RefusedAgent } from "../../../backend/src/clients/refusals.ts";
import { ClientViews } from "../../../backend/src/clients/registry/clientViews.ts";
import { LocalPresence } from "../../../backend/src/clients/registry/presence.ts";
import { ClientRegistry } from "../../../backend/src/clients/registry/registry.ts";
import type {
  Admission,
  LoginResult,
  RefusedAdmission,
} from "../../../backend/src/credentials/admission/verdicts.ts";
import type { SessionHandle } from "../../../backend/src/credentials/ports.ts";
import { Limits } from "../../../backend/src/limits/limits.ts";
import type { SetLimits } from "../../../backend/src/limits/limitTable.ts";
import type { Place } from "../../../backend/src/place.ts";
import { type Clock, systemClock } from "../../../backend/src/platform/clock.ts";
import { LogBursts } from "../../../backend/src/platform/logBursts.ts";
import { PortRanges } from "../../../backend/src/platform/portRanges.ts";
import { Listener, type ListenerDeps } from "../../../backend/src/server.ts";
import { OpenSockets } from "../../../backend/src/sockets/openSockets.ts";
import { openStore } from "../../../backend/src/store/store.ts";
import { createLinkDial, type LinkDial } from "../../../backend/src/tunnels/dialer.ts";
import { KeptPorts } from "../../../backend/src/tunnels/keptPorts.ts";
import { TunnelService } from "../../../backend/src/tunnels/tunnelService.ts";
import type { TunnelServiceDeps } from "../../../backend/src/tunnels/tunnelServiceDeps.ts";
import { noAudit } from "../backend/noAudit.ts";
import { testLog } from "../log.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { PASSWORD, SERVER_KEY } from "../wire/wirePair.ts";

/** The one secret that opens every auth id here; the agents of `agent.ts` use it, too. */
export const SECRET = PASSWORD;

/** What a test changes about the agents' side of a backend. */
export interface AgentSideOptions {
  readonly clock?: Clock;
  /** A data directory that others had before, or will have after this one. */
  readonly directory?: string;
  readonly door?: Partial<AgentDoorDeps>;
  /** Limits that differ from the usual. */
  readonly limits?: SetLimits;
  readonly join?: () => Promise<RefusedAdmission | undefined>;
  readonly admit?: (clientId: ClientId) => Promise<Admission>;
  /** What agents may ask for; usually as much as on a real server. */
  readonly askingRight?: TunnelServiceDeps["askingRight"];
  /** `tunnels.bind`. */
  readonly bind?: string;
  readonly range?: { readonly from: number; readonly to: number };
}

/** Door, registry and tunnels of a backend on a real socket; credentials are the test's. */
export interface AgentSide extends AsyncDisposable {
  /** `ws://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  readonly door: AgentDoor;
  readonly registry: ClientRegistry;
  readonly tunnels: TunnelService;
  readonly dial: LinkDial;
  readonly presence: LocalPresence<LiveSession>;
  /** The clients as people would see them. */
  readonly clients: ClientViews;
  /** Who was not let in, in order. */
  readonly refused: RefusedAgent[];
  /** Sessions that were announced to the credentials. */
  readonly ready: SessionHandle[];
  /** `entity id`, in order. */
  readonly touched: string[];
  readonly log: readonly string[];
  readonly limits: Limits;
}

/** Nobody writes down what agents do. */
const NOBODY_WRITES: AgentDoorDeps["agentEvents"] = {
  connected: () => {},
  refused: () => {},
  leftOut: () => {},
  tunnelsFull: () => {},
  loginRefused: () => {},
  hostKeyChanged: () => Promise.resolve(),
  credentialChanged: () => Promise.resolve(),
};

/** Nobody has a terminal. */
const NO_TERMINALS: AgentDoorDeps["terminals"] = {
  arrived: () => {},
  left: () => {},
  ended: () => false,
  endAll: () => {},
};

/** Starts the agents' side of a backend. */
export async function startAgentSide(options: AgentSideOptions = {}): Promise<AgentSide> {
  const { clock = systemClock } = options;
  const { log, lines } = testLog();
  await using opened = new AsyncDisposableStack();
  const directory = options.directory ?? opened.use(await tempDirectory()).path;
  const store = await openStore({ directory, clock, log });
  opened.defer(() => store.close());
  const ready: SessionHandle[] = [];
  const refused: RefusedAgent[] = [];
  const touched: string[] = [];
  const touch = (entity: string, id: string) => void touched.push(`${entity} ${id}`);
  const secret = (id: string) =>
    ({ id: secretIdSchema.parse(id), origin: "typed", state: "active" }) as const;
  const presence = new LocalPresence<LiveSession>();
  const limits = new Limits({ values: options.limits, clock, log });
  const registry = await ClientRegistry.open({
    store: store.edits,
    presence,
    clock,
    log,
    touch,
    limits,
  });
  opened.defer(() => registry.close());
  const clients = new ClientViews({
    groupsOf: () => [],
    registry,
    presence,
    credentials: { clientSecret: (_id, id) => secret(id), rotationState: () => undefined },
  });
  const dial = createLinkDial(clock);
  const sockets = new OpenSockets({
    limits,
    isProxy: () => true,
    clock,
    onFault: (error) => {
      throw error;
    },
  });
  const tunnels = new TunnelService({
    clients: registry,
    dial,
    relays: new Relays(),
    sockets,
    limits,
    clock,
    log,
    touch,
    ranges: new PortRanges([options.range ?? { from: 20_000, to: 30_000 }]),
    kept: KeptPorts.following(registry.records(), store.edits),
    bind: options.bind,
    askingRight: options.askingRight ?? (() => ({ max: null, ports: null })),
    events: new TunnelEvents({ audit: noAudit, shares: { of: () => noAudit }, limits, clock }),
  });
  opened.defer(() => tunnels.close());
  const door = new AgentDoor({
    paired: { onHost: () => undefined },
    limits,
    sockets,
    registry,
    presence,
    tunnels,
    terminals: NO_TERMINALS,
    clock,
    log,
    agentEvents: NOBODY_WRITES,
    refusals: { note: (agent) => void refused.push(agent) },
    serverKey: SERVER_KEY,
    credentials: {
      login: async (authId, password): Promise<LoginResult> =>
        password === SECRET
          ? {
              kind: "accepted",
              credentialId: authIdSchema.parse(authId),
              secretId: secretIdSchema.parse("secret-1"),
            }
          : { kind: "refused", why: "wrong" },
      isDoubted: () => false,
      whyNot: () => undefined,
      join: options.join ?? (async () => undefined),
      admit:
        options.admit === undefined
          ? async () => ({ kind: "admitted", secret: secret("secret-1") })
          : (_login, { clientId }) =>
              options.admit?.(clientId) ?? Promise.reject(new Error("gone")),
      onSessionReady: (session) => void ready.push(session),
    },
    ...options.door,
  });
  const listener = await listenFor(door, { sockets, limits, log });
  const { port } = listener;
  opened.defer(() => listener.close());
  opened.defer(() => door.close());
  const closing = opened.move();
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    door,
    registry,
    tunnels,
    dial,
    presence,
    clients,
    refused,
    ready,
    touched,
    log: lines,
    limits,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** By the system's clock: a test that stands its clock still waits for no connection at the end. */
function listenFor(
  door: AgentDoor,
  { sockets, limits, log }: Pick<ListenerDeps, "sockets" | "limits" | "log">,
): Promise<Listener> {
  const place: Place = { host: "127.0.0.1", port: 0, faces: new Set(["agents"]) };
  return Listener.open(place, {
    onRequest: (_request, response) => response.writeHead(404).end(),
    doors: [
      {
        takes: (request) => AgentDoor.isAgent(request),
        upgrade: ({ request, socket, head }) =>
          door.upgrade({ request, socket, head, address: request.socket.remoteAddress ?? "" }),
      },
    ],
    sockets,
    limits,
    clock: systemClock,
    log,
    strangers: new LogBursts({ clock: systemClock }),
  });
}
