import { RportError } from "@rport/protocol/errors";
import { PROVE_MAX_BYTES, PROVE_PATH, proveRequestSchema } from "@rport/protocol/localProof";
import express, { type Request, type Router } from "express";
import { isLoopback } from "../../platform/network.ts";
import type { Proofs } from "../../users/proofs.ts";
import { jsonBody } from "../bodies/jsonBody.ts";
import type { PeerOf } from "../caller/peerAddress.ts";
import type { Exchange } from "../exchange.ts";

/** What the door needs. */
export interface ProveDoorDeps {
  readonly proofs: Pick<Proofs, "answer">;
  readonly peerOf: PeerOf;
  readonly exchangeOf: (request: Request) => Exchange;
}

/**
 * `POST /prove`, the only path of the users' face without a token: an editor asks there whether
 * this is the server of its endpoint file. Only programs of this machine have such a file, so
 * nobody else is answered.
 */
export function proveDoor({ proofs, peerOf, exchangeOf }: ProveDoorDeps): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  router.post(PROVE_PATH, async (request) => {
    const { address, isShared } = peerOf(request);
    if (isShared || !isLoopback(address)) {
      throw new RportError("FORBIDDEN", "Only programs of the server's own machine may ask this.");
    }
    const exchange = exchangeOf(request);
    const { turn } = exchange;
    const asked = await jsonBody(request, { maxBytes: PROVE_MAX_BYTES, turn });
    const body = proveRequestSchema.safeParse(asked);
    if (!body.success) throw new RportError("BAD_REQUEST", "The nonce is not well-formed.");
    const answer = proofs.answer(request.socket, body.data.nonce);
    if (answer !== undefined) exchange.sendData(200, answer);
    else exchange.sendError(new RportError("TOO_MANY_REQUESTS", "Too many ask for a proof."), 1);
  });
  return router;
}
