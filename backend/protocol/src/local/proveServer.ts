import type { TlsPin } from "../tls/tlsPin.ts";
import {
  editorProof,
  isProof,
  newNonce,
  PROOF_SCHEME,
  PROVE_MAX_BYTES,
  PROVE_PATH,
  proveAnswerSchema,
  proveRequestSchema,
  serverProof,
} from "./localProof.ts";
import { OneConnection } from "./oneConnection.ts";

/** A server of the same machine answers within milliseconds. */
const TIMEOUT_MS = 5_000;

/** The server that somebody has to prove to be. */
export interface ProofSubject {
  /** An `http:` origin, or an `https:` one. */
  readonly url: string;
  /** The TLS key of an `https:` origin. */
  readonly tlsPin?: TlsPin | undefined;
  readonly token: string;
  /** The server's key, `SHA256:` form. */
  readonly fingerprint: string;
}

/** What comes of asking for a proof; `refused`: somebody answers who is not that server. */
export type ProofResult =
  | { readonly kind: "proven"; readonly connection: OneConnection; readonly authorization: string }
  | { readonly kind: "unreachable"; readonly cause: unknown }
  | { readonly kind: "busy" }
  | { readonly kind: "refused" };

/**
 * Connects to the server and has it prove that it knows the token, which stays here. The proof is
 * about this connection: what the answer authorizes goes over it, and is of no use to anybody else.
 */
export async function proveServer(subject: ProofSubject): Promise<ProofResult> {
  const { url, tlsPin } = subject;
  if (new URL(url).protocol === "https:" && tlsPin === undefined) return { kind: "refused" };
  const connection = new OneConnection(url, tlsPin);
  const result = await ask(connection, subject).catch(
    (cause: unknown): ProofResult =>
      connection.place === undefined ? { kind: "unreachable", cause } : { kind: "refused" },
  );
  if (result.kind !== "proven") connection.close();
  return result;
}

async function ask(
  connection: OneConnection,
  { token, fingerprint }: ProofSubject,
): Promise<ProofResult> {
  const editorNonce = newNonce();
  const response = await connection.send(PROVE_PATH, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(proveRequestSchema.parse({ nonce: editorNonce })),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const { place } = connection;
  const answer = proveAnswerSchema.safeParse(await readJson(response));
  if (response.status === 429) return { kind: "busy" };
  if (!answer.success || place === undefined) return { kind: "refused" };
  const { nonce: serverNonce, proof } = answer.data.data;
  const facts = { place, fingerprint, editorNonce, serverNonce };
  if (!isProof(proof, serverProof(token, facts))) return { kind: "refused" };
  const authorization = `${PROOF_SCHEME} ${editorProof(token, facts)}`;
  return { kind: "proven", connection, authorization };
}

/** The whole body, so that the connection is free for what comes next; at most a few hundred bytes. */
async function readJson(response: Response): Promise<unknown> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > PROVE_MAX_BYTES) throw new Error("the answer is too long");
  }
  return JSON.parse(text);
}
