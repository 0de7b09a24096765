import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type ClaimRequest,
  claimRequestSchema,
  PAIRING_REFUSED,
  type PairingPayload,
  type PairingToken,
  pairingPayloadSchema,
} from "@rport/protocol/pairing";
import { newPairingToken, proofMatches, seal, tokenParts } from "@rport/protocol/sealing";

/** What a test's pairing service answers with. */
export interface PairingAnswer {
  readonly status: number;
  readonly body: string;
}

/** A pairing service that knows one token. */
export interface PairingServer extends AsyncDisposable {
  readonly url: string;
  readonly token: PairingToken;
  /** Claims that came, in order, with the paths they came to. */
  readonly claims: readonly (ClaimRequest & { readonly path: string })[];
  /** Answers the next claims with these instead, one each; `hangUp` answers nothing. */
  readonly plan: (PairingAnswer | "hangUp")[];
}

/** Listens on a free port and gives `payload` to whoever knows the token. */
export async function startPairingServer(
  payload: Partial<PairingPayload> & Pick<PairingPayload, "server_urls">,
): Promise<PairingServer> {
  const token = newPairingToken();
  const parts = tokenParts(token);
  const whole = pairingPayloadSchema.parse({
    fingerprint: `SHA256:${"F".repeat(43)}`,
    auth_id: "paired-hosts",
    secret: "a-secret-only-for-this-host",
    ...payload,
  });
  const claims: (ClaimRequest & { path: string })[] = [];
  const plan: PairingServer["plan"] = [];
  const answerTo = (claim: ClaimRequest): PairingAnswer => {
    const isKnown = claim.id === parts.id && proofMatches(parts, claim.claimant, claim.proof);
    if (!isKnown) return { status: 404, body: errorBody(PAIRING_REFUSED) };
    const envelope = seal(parts, whole, "2030-01-01T00:00:00Z");
    return { status: 200, body: JSON.stringify({ envelope }) };
  };
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const claim = claimRequestSchema.parse(JSON.parse(body));
      claims.push({ ...claim, path: request.url ?? "" });
      const planned = plan.shift();
      if (planned === "hangUp") request.socket.destroy();
      else send(response, planned ?? answerTo(claim));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    claims,
    plan,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** RPort's error envelope with one sentence. */
export function errorBody(title: string): string {
  return JSON.stringify({ errors: [{ code: "", title, detail: "" }] });
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}

function send(response: ServerResponse, { status, body }: PairingAnswer): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(body);
}
