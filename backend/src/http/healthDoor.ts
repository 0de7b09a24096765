import express, { type Request, type RequestHandler, type Router } from "express";
import type { Figures } from "../health/figures.ts";
import type { Readiness } from "../health/readiness.ts";
import type { Exchange } from "./exchange.ts";

/** What is answered to whoever asks how the server is. */
export interface HealthDoorDeps {
  readonly readiness: Pick<Readiness, "report">;
  readonly exchangeOf: (request: Request) => Exchange;
}

/**
 * `GET /healthz`: this process lives. `GET /readyz`: it can do its work, or 503 with the parts that
 * fail. Neither asks for a token, and neither tells more than that.
 */
export function healthDoor({ readiness, exchangeOf }: HealthDoorDeps): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  router.get("/healthz", (request) => {
    exchangeOf(request).sendJson(200, { alive: true });
  });
  router.get("/readyz", async (request) => {
    const { isReady, parts } = await readiness.report();
    exchangeOf(request).sendJson(isReady ? 200 : 503, { ready: isReady, parts });
  });
  return router;
}

/** Where the figures are. */
export const METRICS_PATH = "/metrics";

/** What the figures are served with. */
export interface FiguresDoorDeps {
  readonly figures: Pick<Figures, "text">;
  readonly exchangeOf: (request: Request) => Exchange;
  /** Lets those in who may see them; absent on an address that is for figures alone. */
  readonly admit?: readonly RequestHandler[] | undefined;
}

/** `GET /metrics`, in Prometheus' text format. */
export function figuresDoor({ figures, exchangeOf, admit = [] }: FiguresDoorDeps): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  for (const handler of admit) router.use(METRICS_PATH, handler);
  router.get(METRICS_PATH, async (request) => {
    const { contentType, text } = await figures.text();
    exchangeOf(request).sendText(contentType, text);
  });
  return router;
}
