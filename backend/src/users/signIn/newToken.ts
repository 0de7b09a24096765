import { createHash } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import { type NewToken, type NewTokenInput, tokenPrefixSchema } from "@rport/protocol/people/token";
import type { UserName } from "@rport/protocol/people/user";
import { toTime } from "../../platform/clock.ts";
import { alphanumeric, generatedSecret } from "../../platform/random.ts";
import type { TokenRecord } from "../../store/records/tokenRecord.ts";

const PREFIX_LENGTH = 8;

/** A new token, and what is kept of it. Fails with `BAD_REQUEST` when its time is over already. */
export function makeToken(
  username: UserName,
  { name, scope, expires_at: given }: NewTokenInput,
  nowMs: number,
): { readonly record: TokenRecord; readonly made: NewToken } {
  const expiresAt = given === undefined ? inAYear(nowMs) : given;
  requireFuture(expiresAt, nowMs);
  const prefix = tokenPrefixSchema.parse(alphanumeric(PREFIX_LENGTH));
  const token = `${prefix}_${generatedSecret()}`;
  const facts = { prefix, name, scope, created_at: toTime(nowMs), expires_at: expiresAt };
  const unused = { last_used_at: null, last_used_from: "", ended_at: null };
  const sha256 = digestOf(token).toString("base64url");
  return { record: { ...facts, ...unused, username, sha256 }, made: { ...facts, token } };
}

/** What is kept of a token: it holds 256 random bits, so a plain hash keeps it. */
export function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Fails with `BAD_REQUEST` for an end that is over; null is never. */
export function requireFuture(expiresAt: string | null, nowMs: number): void {
  if (expiresAt === null || Date.parse(expiresAt) > nowMs) return;
  throw new RportError("BAD_REQUEST", "expires_at is in the past.");
}

/** How long a token works of which nobody says it, as in RPort. */
export function inAYear(nowMs: number): string {
  const date = new Date(nowMs);
  date.setUTCFullYear(date.getUTCFullYear() + 1);
  return date.toISOString();
}
