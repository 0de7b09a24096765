import { RportError, toEnvelope } from "@rport/protocol/errors";
import { pairingIdSchema } from "@rport/protocol/ids";
import { CLAIM_MAX_BYTES, claimRequestSchema, PAIRING_REFUSED } from "@rport/protocol/pairing";
import { pairingReportSchema, REPORT_MAX_BYTES } from "@rport/protocol/pairing/report";
import express, { type Request, type Response, type Router } from "express";
import type { z } from "zod";
import type { Audit } from "../audit/entry.ts";
import type { AgentFiles } from "../downloads/agentFiles.ts";
import type { Downloads } from "../downloads/downloads.ts";
import { describeFile } from "../downloads/fileAnswer.ts";
import type { Deposits } from "../pairing/deposits/deposits.ts";
import type { Exchange } from "./exchange.ts";
import { jsonBody } from "./jsonBody.ts";

/** A program that fails: a caller that runs whatever it was answered must not report success. */
const REFUSED_SCRIPT = `#!/bin/sh\necho '${PAIRING_REFUSED}' >&2\nexit 4\n`;
/** When to come again for a file that too many are downloading. */
const BUSY_RETRY_S = 5;

/** What the installers' face needs. */
export interface PairingDoorDeps {
  /** Where installers claim what was deposited with this server. */
  readonly deposits: Pick<Deposits, "claim" | "report" | "fetched">;
  readonly agentFiles: AgentFiles;
  readonly downloads: Pick<Downloads, "send">;
  readonly audit: Pick<Audit, "ready" | "settled">;
  readonly exchangeOf: (request: Request) => Exchange;
}

/**
 * The installers' face: `/p/:id`, `/pair/v1/claim`, `/agent/:version/:name`, and the signed
 * manifest of the release. The script is the
 * same for every id, also for one that is used, expired or was never there: so asking tells nobody
 * which ids exist, and whoever pastes an old line learns from the claim, in words and by exit
 * status, what is wrong with it.
 */
export function pairingDoor(deps: PairingDoorDeps): Router {
  const { deposits, agentFiles, downloads, audit, exchangeOf } = deps;
  const router = express.Router({ caseSensitive: true, strict: true });
  router.get("/p/:id", async (request, response) => {
    const { data: id, success: isId } = pairingIdSchema.safeParse(request.params.id);
    if (isId) deposits.fetched(id, exchangeOf(request).address);
    const script = isId ? (await agentFiles.require()).script : Buffer.from(REFUSED_SCRIPT);
    sendScript(response, isId ? 200 : 404, script);
  });
  router.post("/pair/v1/claim", async (request) => {
    const exchange = exchangeOf(request);
    const claim = parsed(claimRequestSchema, await jsonBody(request, CLAIM_MAX_BYTES), "claim");
    await audit.ready();
    const answer = await deposits.claim(claim, exchange);
    await audit.settled();
    exchange.sendJson(200, answer);
  });
  router.post("/pair/v1/report", async (request) => {
    const exchange = exchangeOf(request);
    const report = parsed(pairingReportSchema, await jsonBody(request, REPORT_MAX_BYTES), "report");
    if (!(await deposits.report(report, exchange))) {
      throw new RportError("PAIRING_NOT_FOUND", PAIRING_REFUSED);
    }
    exchange.sendJson(200, {});
  });
  router.get("/agent/manifest.json", async (request) => {
    const { text } = (await agentFiles.require()).signed;
    exchangeOf(request).sendText("application/json; charset=UTF-8", text);
  });
  router.get("/agent/manifest.json.sig", async (request) => {
    const { signature } = (await agentFiles.require()).signed;
    exchangeOf(request).sendJson(200, signature);
  });
  router.get("/agent/:version/:name", async (request, response) => {
    const { version, name } = request.params;
    const file = await agentFiles.find(version, name);
    if (file === undefined) throw new RportError("NOT_FOUND", "There is no such file.");
    const part = describeFile(file, { name, headers: request.headers }, response);
    if (part === undefined || request.method === "HEAD") {
      response.end();
      return;
    }
    const exchange = exchangeOf(request);
    const to = { response, address: exchange.address };
    await (downloads.send(file, part, to) ?? sendBusy(response, exchange));
  });
  return router;
}

function parsed<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const field = result.error.issues[0]?.path.join(".") ?? "";
  throw new RportError("BAD_REQUEST", `The ${what} is not well-formed: ${field}`);
}

/** Not the error of a request: whoever asked did nothing wrong, and comes again. */
function sendBusy(response: Response, exchange: Exchange): void {
  for (const name of ["ETag", "Content-Disposition", "Content-Range"]) response.removeHeader(name);
  response.setHeader("Retry-After", BUSY_RETRY_S);
  const busy = new RportError("UNAVAILABLE", "Too many are downloading; try again in a moment.");
  exchange.sendJson(busy.status, toEnvelope(busy));
}

function sendScript(response: Response, status: number, script: Buffer): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "text/x-shellscript; charset=UTF-8");
  response.setHeader("Content-Disposition", 'attachment; filename="rport-installer.sh"');
  response.setHeader("Content-Length", script.length);
  response.end(script);
}
