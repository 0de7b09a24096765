import { RportError } from "@rport/protocol/errors";
import { CLAIM_MAX_BYTES, claimRequestSchema, PAIRING_REFUSED } from "@rport/protocol/pairing";
import { pairingReportSchema, REPORT_MAX_BYTES } from "@rport/protocol/pairing/report";
import express, { type Request, type Router } from "express";
import type { z } from "zod";
import type { Audit } from "../../audit/entry.ts";
import type { Deposits } from "../../pairing/deposits/deposits.ts";
import { jsonBody } from "../bodies/jsonBody.ts";
import type { Exchange } from "../exchange.ts";

/** What installers claim with. */
export interface ClaimDoorDeps {
  readonly deposits: Pick<Deposits, "claim" | "report">;
  readonly audit: Pick<Audit, "ready" | "settled">;
  readonly exchangeOf: (request: Request) => Exchange;
}

/** `/pair/v1/claim` and `/pair/v1/report`: where installers get what was deposited for them. */
export function claimDoor({ deposits, audit, exchangeOf }: ClaimDoorDeps): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  router.post("/pair/v1/claim", async (request) => {
    const exchange = exchangeOf(request);
    const { turn } = exchange;
    const body = await jsonBody(request, { maxBytes: CLAIM_MAX_BYTES, turn });
    const claim = formed(claimRequestSchema, body, "claim");
    await audit.ready();
    const answer = await deposits.claim(claim, exchange);
    await audit.settled();
    exchange.sendJson(200, answer);
  });
  router.post("/pair/v1/report", async (request) => {
    const exchange = exchangeOf(request);
    const { turn } = exchange;
    const body = await jsonBody(request, { maxBytes: REPORT_MAX_BYTES, turn });
    const report = formed(pairingReportSchema, body, "report");
    if (!(await deposits.report(report, exchange))) {
      throw new RportError("PAIRING_NOT_FOUND", PAIRING_REFUSED);
    }
    exchange.sendJson(200, {});
  });
  return router;
}

/** A body as it should be. Throws `BAD_REQUEST` naming the field that is not. */
export function formed<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const field = result.error.issues[0]?.path.join(".") ?? "";
  throw new RportError("BAD_REQUEST", `The ${what} is not well-formed: ${field}`);
}
