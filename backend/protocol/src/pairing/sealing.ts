import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  randomInt,
  timingSafeEqual,
} from "node:crypto";
import { type PairingId, pairingIdSchema } from "../ids.ts";
import {
  CROCKFORD,
  type Envelope,
  type PairingPayload,
  type PairingToken,
  pairingPayloadSchema,
  pairingTokenSchema,
} from "./pairing.ts";
import type { PairingReport, ReportedFacts } from "./report.ts";

/** 26 characters of 5 bits: 130 bits. */
const TOKEN_LENGTH = 26;
/** 16 characters of 5 bits: 80 bits, the public lookup id. */
const ID_LENGTH = 16;

/** The three values that a token stands for. From `id` and `claimKey` nobody gets to `sealKey`. */
export interface TokenParts {
  readonly id: PairingId;
  /** 16 bytes; the pairing service keeps it to check a claim's proof. */
  readonly claimKey: Buffer;
  /** 32 bytes; never leaves the maker of the token and the host that was paired. */
  readonly sealKey: Buffer;
}

/** A fresh token from the system's random generator. */
export function newPairingToken(): PairingToken {
  let text = "";
  for (let n = 0; n < TOKEN_LENGTH; n++) text += CROCKFORD[randomInt(32)];
  return pairingTokenSchema.parse(text);
}

const derive = (token: PairingToken, purpose: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync("sha256", token, "", `rport pairing v1 ${purpose}`, bytes));

/** Derives the three values of a token (HKDF-SHA-256, RFC 5869, one label each). */
export function tokenParts(token: PairingToken): TokenParts {
  const bits = derive(token, "id", ID_LENGTH);
  const id = [...bits].map((byte) => CROCKFORD[byte & 31]).join("");
  return {
    id: pairingIdSchema.parse(id),
    claimKey: derive(token, "claim", 16),
    sealKey: derive(token, "seal", 32),
  };
}

const associated = (envelope: Pick<Envelope, "v" | "id" | "expires">): Buffer =>
  Buffer.from(`rport pairing v${envelope.v} ${envelope.id} ${envelope.expires}`);

/** Seals a payload for the holder of the token; `expires` is RFC 3339 text and is bound to it. */
export function seal(parts: TokenParts, payload: PairingPayload, expires: string): Envelope {
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const head = { v: 1 as const, id: parts.id, expires };
  const key = Buffer.from(hkdfSync("sha256", parts.sealKey, salt, "rport pairing envelope", 32));
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(associated(head));
  const ct = Buffer.concat([cipher.update(JSON.stringify(payload), "utf8"), cipher.final()]);
  return {
    ...head,
    salt: salt.toString("base64url"),
    iv: iv.toString("base64url"),
    ct: ct.toString("base64url"),
    tag: cipher.getAuthTag().toString("base64url"),
  };
}

/** Opens an envelope; throws when the token is another one, or a bit of it was changed. */
export function unseal(parts: TokenParts, envelope: Envelope): PairingPayload {
  const bytes = (text: string) => Buffer.from(text, "base64url");
  const key = Buffer.from(
    hkdfSync("sha256", parts.sealKey, bytes(envelope.salt), "rport pairing envelope", 32),
  );
  const decipher = createDecipheriv("aes-256-gcm", key, bytes(envelope.iv), { authTagLength: 16 });
  decipher.setAAD(associated({ ...envelope, id: parts.id }));
  decipher.setAuthTag(bytes(envelope.tag));
  const plain = Buffer.concat([decipher.update(bytes(envelope.ct)), decipher.final()]);
  return pairingPayloadSchema.parse(JSON.parse(plain.toString("utf8")));
}

/** The proof that a claimant knows the token: base64url of an HMAC over label, id and claimant. */
export function claimProof(parts: Pick<TokenParts, "id" | "claimKey">, claimant: string): string {
  return createHmac("sha256", parts.claimKey)
    .update(`rport pairing claim v1 ${parts.id} ${claimant}`)
    .digest("base64url");
}

/** Compares a proof in constant time. */
export function proofMatches(
  parts: Pick<TokenParts, "id" | "claimKey">,
  claimant: string,
  proof: string,
): boolean {
  return isSame(claimProof(parts, claimant), proof);
}

/** The proof that a report comes from somebody who knows the token: base64url of an HMAC. */
export function reportProof({ claimKey }: Pick<TokenParts, "claimKey">, report: ReportedFacts) {
  const { id, claimant, kind, client_id: clientId, hostname, step, text } = report;
  const facts = JSON.stringify([id, claimant, kind, clientId, hostname, step, text]);
  return createHmac("sha256", claimKey)
    .update(`rport pairing report v1 ${facts}`)
    .digest("base64url");
}

/** Compares the proof of a report in constant time. */
export function isProvenReport(
  parts: Pick<TokenParts, "claimKey">,
  { proof, ...facts }: PairingReport,
): boolean {
  return isSame(reportProof(parts, facts), proof);
}

function isSame(one: string, other: string): boolean {
  const [expected, given] = [Buffer.from(one), Buffer.from(other)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}
