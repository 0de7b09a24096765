import { createHmac } from "node:crypto";
import { errorEnvelopeSchema } from "@rport/protocol/errors";
import {
  type ClaimRequest,
  claimAnswerSchema,
  claimRequestSchema,
  type Envelope,
  PAIRING_REFUSED,
  type PairingPayload,
} from "@rport/protocol/pairing";
import { claimProof, type TokenParts, unseal } from "@rport/protocol/sealing";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { VERSION } from "@rport/protocol/version";
import { peerText } from "@rport/protocol/wire/wireError";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { type Clock, sleep } from "../platform/clock.ts";
import { troubleOf } from "../platform/descriptors.ts";
import { type HttpAnswer, postJson } from "./post.ts";
import { serviceUrl } from "./serviceUrl.ts";

const TRIES = 3;
/** Between two tries; a restarting server is back by then. */
const PAUSE_MS = 1_000;
const CLAIM_PATH = "pair/v1/claim";
/** Bytes of a claimant. */
const CLAIMANT_BYTES = 16;

/** Who claims a pairing, and where. */
export interface Claim {
  /** The pairing service, with or without a path. */
  readonly service: URL;
  /** What its TLS key has to be; empty: what its certificate says counts. */
  readonly pins: readonly TlsPin[];
  readonly parts: TokenParts;
  readonly clientId: string;
  readonly hostname: string;
  readonly clock: Clock;
}

/**
 * Claims a pairing and opens what is in it. Lost answers are asked for again as the same claimant.
 * Rejects with a `CliFailure`: token, network or refused.
 */
export async function claimPairing(claim: Claim): Promise<PairingPayload> {
  const envelope = await fetchEnvelope(claim);
  try {
    return unseal(claim.parts, envelope);
  } catch {
    const sentence = "The server's answer was not made with this token. Nothing was changed.";
    throw new CliFailure(EXIT.refused, sentence);
  }
}

/**
 * Who claims, as 16 bytes of base64url. Derived from the token and the host, so that running the same command again within the server's
 * 60 s gets the same answer, also after this process was killed. Nobody without the token can
 * compute it.
 */
export function claimantFor({
  parts,
  hostname,
  clientId,
}: Pick<Claim, "parts" | "hostname" | "clientId">): string {
  return createHmac("sha256", parts.sealKey)
    .update(JSON.stringify(["rport pairing claimant v1", hostname, clientId]))
    .digest()
    .subarray(0, CLAIMANT_BYTES)
    .toString("base64url");
}

async function fetchEnvelope(claim: Claim): Promise<Envelope> {
  const request = claimRequest(claim);
  let trouble = "";
  for (let tries = 1; tries <= TRIES; tries += 1) {
    if (tries > 1) await sleep(claim.clock, PAUSE_MS);
    const answer = await ask(claim, request);
    if (typeof answer === "string") trouble = answer;
    else if (answer.status >= 500) trouble = `it answered with status ${answer.status}`;
    else return readAnswer(answer);
  }
  const sentence = `The server ${claim.service.host} cannot be reached: ${trouble}.`;
  throw new CliFailure(EXIT.network, sentence);
}

function claimRequest(claim: Claim): ClaimRequest {
  const claimant = claimantFor(claim);
  const parsed = claimRequestSchema.safeParse({
    id: claim.parts.id,
    claimant,
    proof: claimProof(claim.parts, claimant),
    client_id: claim.clientId,
    hostname: claim.hostname,
  });
  if (parsed.success) return parsed.data;
  throw new CliFailure(EXIT.usage, "The client id of this host cannot be used.");
}

async function ask({ service, pins }: Claim, request: ClaimRequest): Promise<HttpAnswer | string> {
  const url = serviceUrl(service, CLAIM_PATH);
  try {
    return await postJson(url, request, { userAgent: `rport-agent ${VERSION}`, pins });
  } catch (error) {
    return troubleOf(error);
  }
}

function readAnswer({ status, body }: HttpAnswer): Envelope {
  if (status === 404) throw new CliFailure(EXIT.token, PAIRING_REFUSED);
  const json = parseJson(body);
  const answer = claimAnswerSchema.safeParse(json);
  if (status === 200 && answer.success) return answer.data.envelope;
  const told = errorEnvelopeSchema.safeParse(json).data?.errors[0]?.title;
  const because = told === undefined ? "" : `: ${peerText(told)}`;
  throw new CliFailure(EXIT.refused, `The server refused with status ${status}${because}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
