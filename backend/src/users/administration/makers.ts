import { createHash } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import { type NewToken, type NewTokenInput, tokenPrefixSchema } from "@rport/protocol/people/token";
import type { UserName } from "@rport/protocol/people/user";
import { whyNotPassword } from "../../credentials/ledger/passwordRule.ts";
import { scryptVerifier } from "../../credentials/ledger/verifier.ts";
import { toTime } from "../../platform/clock.ts";
import { bytes, generatedSecret, readableId } from "../../platform/random.ts";
import type { TokenRecord } from "../../store/records/tokenRecord.ts";
import type { PasswordRecord } from "../../store/records/userRecord.ts";

const YEAR_MS = 365 * 86_400_000;

/** What is kept of a new password. Throws `BAD_REQUEST` when it cannot be one. */
export async function makePassword(text: string): Promise<PasswordRecord> {
  const reason = whyNotPassword(text, 12);
  if (reason !== undefined) throw new RportError("BAD_REQUEST", reason);
  const salt = bytes(16);
  const verifier = await scryptVerifier(text, salt);
  const [saltText, verifierText] = [salt, verifier].map((one) => one.toString("base64url"));
  return { scheme: "scrypt", salt: saltText ?? "", verifier: verifierText ?? "" };
}

/** A new token, and what is kept of it. */
export function makeToken(
  username: UserName,
  { name, scope, expires_at: end }: NewTokenInput,
  nowMs: number,
): { readonly record: TokenRecord; readonly made: NewToken } {
  const prefix = tokenPrefixSchema.parse(readableId(8));
  const token = `${prefix}_${generatedSecret()}`;
  const expiresAt = end === undefined ? toTime(nowMs + YEAR_MS) : end;
  const facts = { prefix, name, scope, created_at: toTime(nowMs), expires_at: expiresAt };
  const sha256 = createHash("sha256").update(token).digest("base64url");
  const unused = { last_used_at: null, last_used_from: "", ended_at: null };
  return { record: { ...facts, ...unused, username, sha256 }, made: { ...facts, token } };
}
