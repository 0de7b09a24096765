import { RportError } from "@rport/protocol/errors";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import type { Clock } from "../platform/clock.ts";
import type { PeerOf } from "./caller/peerAddress.ts";
import { Exchange, type ExchangeDeps } from "./exchange.ts";

/** What every application of ours needs. */
export interface BareAppDeps extends Pick<ExchangeDeps, "answers" | "turns" | "strangers" | "log"> {
  readonly clock: Clock;
  readonly peerOf: PeerOf;
}

/** What an application is made of. */
export interface AppParts {
  /** Throws where a request is not to be looked at, before anything else is done. */
  readonly requireTaken: (request: Request) => void;
  /** Adds the doors. */
  readonly mount: (app: Express, exchangeOf: (request: Request) => Exchange) => void;
}

/**
 * An HTTP application in which every request has its exchange, and every error, and every path that
 * nobody serves, is answered in our form. It never listens by itself.
 */
export function bareApp(deps: BareAppDeps, { requireTaken, mount }: AppParts): Express {
  const app = express();
  app.disable("x-powered-by").disable("etag").set("query parser", false);
  // A rule of a proxy in front for `/api` must hold for every spelling that is served.
  app.enable("case sensitive routing").enable("strict routing");
  const exchanges = new WeakMap<Request, Exchange>();
  const exchangeOf = (request: Request): Exchange => {
    const exchange = exchanges.get(request);
    if (exchange === undefined) throw new Error("a request without its exchange");
    return exchange;
  };
  app.use((request: Request, response: Response, next: NextFunction) => {
    const { answers, turns, strangers, log, clock } = deps;
    const from = { ...deps.peerOf(request), answers, turns, strangers, log };
    const exchange = new Exchange(response, from);
    exchanges.set(request, exchange);
    exchange.logWhenDone(request, clock);
    requireHttp(request);
    requireTaken(request);
    next();
  });
  mount(app, exchangeOf);
  app.use(() => {
    throw new RportError("NOT_FOUND", "There is nothing under this path.");
  });
  // Express tells an error handler by its four parameters.
  // biome-ignore lint/complexity/useMaxParams: the number is Express's
  app.use((caught: unknown, request: Request, _response: Response, _next: NextFunction) => {
    exchangeOf(request).sendError(caught);
  });
  return app;
}

/**
 * What RFC 9110 and RFC 9112 ask of every request. Node would answer these itself, unseen by whatever
 * counts, paces and logs, so that is ours to do (see `Listener`).
 */
function requireHttp({ httpVersion, headers: { host, expect } }: Request): void {
  if (host === undefined && httpVersion === "1.1") {
    throw new RportError("BAD_REQUEST", "The request must name one Host.");
  }
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") {
    throw new RportError("EXPECTATION_FAILED", "Nothing but 100-continue can be expected here.");
  }
}
