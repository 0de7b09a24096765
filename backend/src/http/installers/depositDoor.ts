import { RportError } from "@rport/protocol/errors";
import { pairingIdSchema } from "@rport/protocol/ids";
import {
  DEPOSIT_MAX_BYTES,
  depositRequestSchema,
  SCRIPT_MAX_BYTES,
  STEPS_REQUEST_MAX_BYTES,
  stepsRequestSchema,
} from "@rport/protocol/pairing/service";
import { VERSION } from "@rport/protocol/version";
import express, { type Request, type Response, type Router } from "express";
import type { Depositors } from "../../pairing/desk/depositors.ts";
import type { PairingDesk } from "../../pairing/desk/pairingDesk.ts";
import { jsonBody, readAtMost } from "../bodies/jsonBody.ts";
import type { Exchange } from "../exchange.ts";
import { formed } from "./claimDoor.ts";
import { scriptKindOf, sendScript } from "./installerScript.ts";

/** What servers deposit with. */
export interface DepositDoorDeps {
  readonly desk: PairingDesk;
  readonly depositors: Depositors;
  readonly exchangeOf: (request: Request) => Exchange;
}

const WATCH_KEY = /^Bearer ([A-Za-z0-9_-]{43})$/i;

/**
 * What servers ask of a pairing service apart from them, below `/pair/v1`, and the scripts that they
 * brought, at `/p/<id>`. Depositing takes the key of a server; watching and taking back takes the key
 * of the deposit.
 */
export function depositDoor({ desk, depositors, exchangeOf }: DepositDoorDeps): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  const admit = (request: Request): string =>
    depositors.admit(request.headers.authorization, exchangeOf(request).address);
  router.get("/pair/v1", (request) => {
    const facts = { service: "rport", version: VERSION, is_listed: depositors.isListed };
    exchangeOf(request).sendJson(200, facts);
  });
  router.put("/pair/v1/scripts/:sha256", async (request) => {
    const depositor = admit(request);
    const script = await readAtMost(request, SCRIPT_MAX_BYTES);
    if (!desk.scripts.keep(String(request.params.sha256), script, depositor)) {
      throw new RportError("BAD_REQUEST", "The script has another SHA-256.");
    }
    exchangeOf(request).sendJson(200, {});
  });
  router.put("/pair/v1/deposits/:id", async (request) => {
    const depositor = admit(request);
    const id = idOf(request);
    const { turn } = exchangeOf(request);
    const body = await jsonBody(request, { maxBytes: DEPOSIT_MAX_BYTES, turn });
    desk.deposit(id, formed(depositRequestSchema, body, "deposit"), depositor);
    exchangeOf(request).sendJson(201, {});
  });
  router.delete("/pair/v1/deposits/:id", (request) => {
    const key = WATCH_KEY.exec(request.headers.authorization ?? "")?.[1] ?? "";
    desk.withdraw(idOf(request), Buffer.from(key, "base64url"));
    exchangeOf(request).sendJson(200, {});
  });
  router.post("/pair/v1/steps", async (request, response) => {
    const gone = goneSignal(response);
    const { address, turn } = exchangeOf(request);
    const body = await jsonBody(request, { maxBytes: STEPS_REQUEST_MAX_BYTES, turn });
    const asked = formed(stepsRequestSchema, body, "question");
    const answer = await desk.steps(asked, { address, signal: gone });
    if (!response.destroyed) exchangeOf(request).sendJson(200, answer);
  });
  router.get("/p/:id", (request, response) => {
    const { data: id } = pairingIdSchema.safeParse(request.params.id);
    const { address } = exchangeOf(request);
    const kind = scriptKindOf(request);
    const script = id === undefined ? undefined : desk.script(id, kind, address);
    sendScript(response, { kind, script });
  });
  return router;
}

/**
 * Fires when nobody may wait for an answer any more. Who says no more looks like somebody who has left:
 * what is there already is answered then, rather than a place kept.
 */
function goneSignal(response: Response): AbortSignal {
  const { socket } = response.req;
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  if (socket.readableEnded) leave();
  socket.once("end", leave);
  response.once("close", () => {
    socket.off("end", leave);
    leave();
  });
  return gone.signal;
}

function idOf(request: Request) {
  const id = pairingIdSchema.safeParse(request.params.id);
  if (id.success) return id.data;
  throw new RportError("BAD_REQUEST", "This is not the id of a pairing.");
}
