import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { API_PREFIX } from "../http.ts";

/**
 * Where a program of the same machine has a server prove that it knows the token of its endpoint
 * file, before that program shows anything: POST, without a token, on the connection that is used
 * next.
 */
export const PROVE_PATH = `${API_PREFIX}/prove`;
/** Largest request and largest answer, in bytes. */
export const PROVE_MAX_BYTES = 512;
/** The scheme of the `Authorization` header that the editor's own proof travels in. */
export const PROOF_SCHEME = "RPort-Proof";

const NONCE_BYTES = 32;
/** 32 bytes in base64url. */
const digestSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** What is asked: a number that was never used before. */
export const proveRequestSchema = z.strictObject({ nonce: digestSchema });

/** The answer: the server's own number, and its proof over both. */
export const proveAnswerSchema = z.object({
  data: z.object({ nonce: digestSchema, proof: digestSchema }),
});

/** What a proof speaks of; it is good for nothing else. */
export interface ProofFacts {
  /** The server's end of the connection, as both ends see it: `127.0.0.1:8080`, `[::1]:8080`. */
  readonly place: string;
  /** The server's key, `SHA256:` form. */
  readonly fingerprint: string;
  readonly editorNonce: string;
  readonly serverNonce: string;
}

/** A number that nobody has used or can guess. */
export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString("base64url");
}

/** What only a server that knows the token can answer. */
export function serverProof(token: string, facts: ProofFacts): string {
  return proofOf("server", token, facts);
}

/** What only an editor that knows the token can show; good on the connection of these nonces. */
export function editorProof(token: string, facts: ProofFacts): string {
  return proofOf("editor", token, facts);
}

/** Whether a proof is the expected one; takes the same time for every wrong one. */
export function isProof(given: string, expected: string): boolean {
  const one = Buffer.from(given);
  const other = Buffer.from(expected);
  return one.length === other.length && timingSafeEqual(one, other);
}

/**
 * The place is part of the proof, so a stranger on the port of a server that has ended gets nothing
 * of use from one that runs elsewhere; the side is, so no proof can be sent back to its maker.
 */
function proofOf(side: "server" | "editor", token: string, facts: ProofFacts): string {
  const { place, fingerprint, editorNonce, serverNonce } = facts;
  const said = ["rport local proof v1", side, place, fingerprint, editorNonce, serverNonce];
  return createHmac("sha256", token).update(JSON.stringify(said)).digest("base64url");
}
