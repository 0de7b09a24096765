import type { Endpoint } from "@rport/protocol/endpointEntry";
import { RportError } from "@rport/protocol/errors";
import {
  BODY_MAX_BYTES,
  ENDPOINTS,
  type EndpointName,
  OPEN_BODY_MAX_BYTES,
} from "@rport/protocol/http";
import { beginningOf } from "@rport/protocol/ownText";
import express, { type Request, type Router } from "express";
import { type Actor, STRANGER } from "../users/actor.ts";
import { type ClientAccess, requireClient } from "../users/clientAccess.ts";
import { requireEndpoint } from "../users/rights.ts";
import { formBody, isForm } from "./bodies/formBody.ts";
import { isWithoutBody, jsonBody, noBody } from "./bodies/jsonBody.ts";
import { parseInput } from "./bodies/parseInput.ts";
import type { CallContext, Handlers } from "./endpoints.ts";
import type { Exchange } from "./exchange.ts";
import { rawQuery } from "./rawQuery.ts";

/** Longest `User-Agent` that is looked at. */
const USER_AGENT_MAX = 300;

/** What the endpoints are served with. */
export interface RouterDeps {
  readonly handlers: Handlers;
  readonly access: ClientAccess;
  readonly exchangeOf: (request: Request) => Exchange;
}

/** What bodies may have: only what administrators send has lists in it. */
const OF_ADMINISTRATORS = { maxBytes: BODY_MAX_BYTES };
const OF_OTHERS = { maxBytes: OPEN_BODY_MAX_BYTES, maxMembers: 32 };

const OPEN = new Set(
  Object.values(ENDPOINTS)
    .filter(({ right }) => right === "nobody")
    .map(({ method, path }) => `${method} ${path}`),
);

/** Whether a request, with its path below `API_PREFIX`, is for an endpoint that needs no token. */
export function isOpen({ method, path }: Pick<Request, "method" | "path">): boolean {
  return OPEN.has(`${method} ${path}`);
}

/**
 * Serves every endpoint of the contract, mounted at `API_PREFIX`: checks the right, parses
 * parameters, query and body, calls the handler, writes the envelope. A known path with another
 * method gets 405.
 */
export function endpointRouter(deps: RouterDeps): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  const methodsOf = new Map<string, string[]>();
  for (const name of Object.keys(ENDPOINTS) as EndpointName[]) {
    const { method, path } = ENDPOINTS[name];
    const verb = method.toLowerCase() as Lowercase<typeof method>;
    router[verb](path, (request) => serve(name, request, deps));
    methodsOf.set(path, [...(methodsOf.get(path) ?? []), method]);
  }
  for (const [path, methods] of methodsOf) {
    const allow = methods.join(", ");
    router.all(path, (_request, response) => {
      response.setHeader("Allow", allow);
      throw new RportError("METHOD_NOT_ALLOWED", `This path takes ${allow} only.`);
    });
  }
  return router;
}

async function serve<N extends EndpointName>(
  name: N,
  request: Request,
  { handlers, access, exchangeOf }: RouterDeps,
): Promise<void> {
  const exchange = exchangeOf(request);
  const endpoint: Endpoint = ENDPOINTS[name];
  const actor = exchange.actor ?? STRANGER;
  requireEndpoint(actor, endpoint);
  const input = parseInput(name, {
    params: request.params,
    query: rawQuery(request.url),
    body: await bodyOf(request, endpoint, exchange.turn),
  });
  const { params } = input;
  const requireRight = (): void => {
    requireEndpoint(actor, endpoint);
    if ("clientId" in params) requireClient(access, actor, params.clientId);
  };
  // A body may come as slowly as its sender likes, and what was shown may have ended since.
  requireRight();
  const context = { ...contextOf(request, exchange, actor), requireRight };
  const answer = await handlers[name](input, context);
  if (answer === undefined) exchange.sendNothing(endpoint.output ? 204 : endpoint.status);
  else if (endpoint.isBare === true) exchange.sendJson(endpoint.status, answer.data);
  else if (Array.isArray(answer.data)) {
    await exchange.sendRows(endpoint.status, answer.data, answer.count);
  } else exchange.sendData(endpoint.status, answer.data, answer.count);
}

/** The body, and the caller's turn. */
async function bodyOf(
  request: Request,
  { body, takesForm, mayLackBody, right }: Endpoint,
  turn: () => Promise<void>,
): Promise<unknown> {
  if (body === undefined || (mayLackBody === true && isWithoutBody(request))) {
    await noBody(request);
    await turn();
    return body === undefined ? undefined : {};
  }
  const reading = { ...(right === "administrator" ? OF_ADMINISTRATORS : OF_OTHERS), turn };
  if (takesForm === true && isForm(request)) return await formBody(request, reading);
  return await jsonBody(request, reading);
}

function contextOf(
  { headers }: Request,
  exchange: Exchange,
  actor: Actor,
): Omit<CallContext, "requireRight"> {
  const { origin, address, isShared } = exchange;
  const { authorization, "user-agent": userAgent = "" } = headers;
  return {
    actor,
    user: actor.name,
    origin,
    address,
    isShared,
    authorization,
    userAgent: beginningOf(userAgent, USER_AGENT_MAX),
  };
}
