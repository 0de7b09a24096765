import { RportError, toEnvelope } from "@rport/protocol/errors";
import { pairingIdSchema } from "@rport/protocol/ids";
import express, { type Request, type Response, type Router } from "express";
import type { Audit } from "../../audit/entry.ts";
import type { AgentFiles } from "../../downloads/agentFiles.ts";
import type { Downloads } from "../../downloads/downloads.ts";
import { describeFile } from "../../downloads/fileAnswer.ts";
import type { Deposits } from "../../pairing/deposits/deposits.ts";
import type { Exchange } from "../exchange.ts";
import { claimDoor } from "./claimDoor.ts";
import { type ScriptKind, scriptKindOf, sendScript } from "./installerScript.ts";

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
    const kind = scriptKindOf(request);
    const scripts = isId ? await scriptsOf(agentFiles) : undefined;
    sendScript(response, { kind, script: scripts?.[kind] });
  });
  router.use(claimDoor({ deposits, audit, exchangeOf }));
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

/** Not the error of a request: whoever asked did nothing wrong, and comes again. */
function sendBusy(response: Response, exchange: Exchange): void {
  for (const name of ["ETag", "Content-Disposition", "Content-Range"]) response.removeHeader(name);
  response.setHeader("Retry-After", BUSY_RETRY_S);
  const busy = new RportError("UNAVAILABLE", "Too many are downloading; try again in a moment.");
  exchange.sendJson(busy.status, toEnvelope(busy));
}

async function scriptsOf(agentFiles: AgentFiles): Promise<Partial<Record<ScriptKind, Buffer>>> {
  const { script: sh, powershellScript: ps1 } = await agentFiles.require();
  return ps1 === undefined ? { sh } : { sh, ps1 };
}
