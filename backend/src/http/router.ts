import { RportError } from "@rport/protocol/errors";
import { BODY_MAX_BYTES, ENDPOINTS, type EndpointName } from "@rport/protocol/http";
import express, { type Request, type Router } from "express";
import type { Handlers } from "./endpoints.ts";
import type { Exchange } from "./exchange.ts";
import { jsonBody, noBody } from "./jsonBody.ts";
import { parseInput } from "./parseInput.ts";
import { rawQuery } from "./rawQuery.ts";

/** The exchange of a request that passed the gate, and the name of its user. */
export type ExchangeOf = (request: Request) => {
  readonly exchange: Exchange;
  readonly user: string;
};

/**
 * Serves every endpoint of the contract, mounted at `API_PREFIX`: parses parameters, query and
 * body, calls the handler, writes the envelope. A known path with another method gets 405.
 */
export function endpointRouter(handlers: Handlers, exchangeOf: ExchangeOf): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  const methodsOf = new Map<string, string[]>();
  for (const name of Object.keys(ENDPOINTS) as EndpointName[]) {
    const { method, path } = ENDPOINTS[name];
    const verb = method.toLowerCase() as Lowercase<typeof method>;
    router[verb](path, (request) => serve(name, handlers, { request, ...exchangeOf(request) }));
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
  handlers: Handlers,
  call: { readonly request: Request; readonly exchange: Exchange; readonly user: string },
): Promise<void> {
  const { request, exchange, user } = call;
  const takesBody = ENDPOINTS[name].body !== undefined;
  const input = parseInput(name, {
    params: request.params,
    query: rawQuery(request.url),
    body: takesBody ? await jsonBody(request, BODY_MAX_BYTES) : await noBody(request),
  });
  const { origin, address } = exchange;
  const answer = await handlers[name](input, { user, origin, address });
  if (answer === undefined) exchange.sendNothing();
  else exchange.sendData(ENDPOINTS[name].status, answer.data, answer.count);
}
