import type { Socket } from "node:net";
import { RportError } from "@rport/protocol/errors";
import { API_PREFIX } from "@rport/protocol/http";
import type { Express, Request, RequestHandler } from "express";
import type { AgentFiles } from "./downloads/agentFiles.ts";
import type { Downloads } from "./downloads/downloads.ts";
import { bareApp } from "./http/bareApp.ts";
import type { PeerOf } from "./http/caller/peerAddress.ts";
import { type LocalMode, whyForeign } from "./http/caller/siteGuard.ts";
import type { Handlers } from "./http/endpoints.ts";
import type { Exchange } from "./http/exchange.ts";
import { type ProveDoorDeps, proveDoor } from "./http/handlers/proveDoor.ts";
import {
  type FiguresDoorDeps,
  figuresDoor,
  type HealthDoorDeps,
  healthDoor,
  METRICS_PATH,
} from "./http/healthDoor.ts";
import { type PairingDoorDeps, pairingDoor } from "./http/installers/pairingDoor.ts";
import type { RequestTurns } from "./http/requestTurns.ts";
import { endpointRouter, isOpen } from "./http/router.ts";
import type { UnreadAnswers } from "./http/unreadAnswers.ts";
import type { Face } from "./place.ts";
import type { Clock } from "./platform/clock.ts";
import type { Log } from "./platform/log.ts";
import type { LogBursts } from "./platform/logBursts.ts";
import { type Actor, STRANGER } from "./users/actor.ts";
import type { ClientAccess } from "./users/clientAccess.ts";
import { refusal, tooManyConnections, type UserGate } from "./users/gate.ts";
import { requireEndpoint } from "./users/rights.ts";

/** What people need for the figures, as for an endpoint. */
const FIGURES = { right: "monitoring", method: "GET", path: METRICS_PATH } as const;

/** What the application is made from. */
export interface AppDeps {
  readonly handlers: Handlers;
  readonly access: ClientAccess;
  readonly gate: UserGate;
  readonly proofs: ProveDoorDeps["proofs"];
  readonly peerOf: PeerOf;
  readonly deposits: PairingDoorDeps["deposits"];
  readonly agentFiles: AgentFiles;
  readonly downloads: Pick<Downloads, "send">;
  /** A connection showed a valid token of the user; false: they have too many already. */
  readonly onUser: (socket: Socket, user: Actor) => boolean;
  readonly audit: PairingDoorDeps["audit"];
  readonly readiness: HealthDoorDeps["readiness"];
  readonly figures: FiguresDoorDeps["figures"];
  /** Counts what was answered and is not taken yet. */
  readonly answers: Pick<UnreadAnswers, "add">;
  /** Says when the request of a caller is worked on. */
  readonly turns: Pick<RequestTurns, "take">;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes the lines that anybody can cause. */
  readonly strangers: LogBursts;
}

/** Where one application is served. */
export interface AppPlace {
  readonly faces: ReadonlySet<Face>;
  /** Set where only programs of the same machine reach the place. */
  readonly localMode: () => LocalMode | undefined;
}

/** The HTTP side of the backend, for one address. It never listens by itself. */
export function createApp(deps: AppDeps, place: AppPlace): Express {
  return bareApp(deps, {
    requireTaken: (request) => requireOwnSite(request, place),
    mount: (app, exchangeOf) => mount(app, exchangeOf, { deps, place }),
  });
}

type ExchangeOf = (request: Request) => Exchange;

interface Mounted {
  readonly deps: AppDeps;
  readonly place: AppPlace;
}

function mount(app: Express, exchangeOf: ExchangeOf, { deps, place }: Mounted): void {
  const { readiness, figures } = deps;
  app.use(healthDoor({ readiness, exchangeOf }));
  if (place.faces.has("metrics")) app.use(figuresDoor({ figures, exchangeOf }));
  if (place.faces.has("users")) mountUsers(app, exchangeOf, deps);
  if (place.faces.has("pairing")) app.use(pairingDoor(pairingDoorDeps(deps, exchangeOf)));
}

function mountUsers(app: Express, exchangeOf: ExchangeOf, deps: AppDeps): void {
  const { proofs, peerOf, figures, handlers, access } = deps;
  const admit: RequestHandler = async (request, _response, next) => {
    const exchange = exchangeOf(request);
    if (!(await admitUser(deps.gate, request, exchange))) return;
    if (!deps.onUser(request.socket, exchange.actor ?? STRANGER)) throw tooManyConnections();
    next();
  };
  app.use(proveDoor({ proofs, peerOf, exchangeOf }));
  const admitToFigures: RequestHandler[] = [
    admit,
    (request, _response, next) => {
      requireEndpoint(exchangeOf(request).actor ?? STRANGER, FIGURES);
      next();
    },
  ];
  app.use(figuresDoor({ figures, exchangeOf, admit: admitToFigures }));
  app.use(API_PREFIX, (request, response, next) =>
    isOpen(request) ? next() : admit(request, response, next),
  );
  app.use(API_PREFIX, endpointRouter({ handlers, access, exchangeOf }));
}

function pairingDoorDeps(
  deps: AppDeps,
  exchangeOf: PairingDoorDeps["exchangeOf"],
): PairingDoorDeps {
  const { deposits, agentFiles, downloads, audit } = deps;
  return { deposits, agentFiles, downloads, audit, exchangeOf };
}

function requireOwnSite(request: Request, place: AppPlace): void {
  if (!request.url.startsWith("/")) {
    throw new RportError("BAD_REQUEST", "The request's target must be a path.");
  }
  const foreign = whyForeign(request, place.localMode());
  if (foreign !== undefined) throw new RportError("FORBIDDEN", foreign);
}

/** Lets a user through, or has answered 401 or 429 when it returns false. */
async function admitUser(gate: UserGate, request: Request, exchange: Exchange): Promise<boolean> {
  const { headers, socket: connection } = request;
  const { authorization } = headers;
  const { address, isShared } = exchange;
  const result = await gate.admit({ address, isShared, connection, authorization });
  if (result.kind === "actor") {
    exchange.actor = result.actor;
    return true;
  }
  exchange.sendError(refusal(result));
  return false;
}
