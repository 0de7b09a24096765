import { RportError } from "@rport/protocol/errors";
import type { TokenPrefix } from "@rport/protocol/people/token";
import type { TokenRecord } from "../records/tokenRecord.ts";

/** What a token is to be, as far as it is bounded by the one that asks for it. */
export type BoundedFacts = Pick<TokenRecord, "scope" | "expires_at">;

/**
 * Refuses what is more than the personal token `by`, with which it is asked for: `FORBIDDEN` for what
 * works longer or for more, `CONFLICT` when that token has ended. So whoever has stolen a token does
 * not keep it beyond its time. `by` is undefined where no token asks.
 */
export function requireWithin(
  tokens: readonly TokenRecord[],
  by: TokenPrefix | undefined,
  asked: BoundedFacts,
): void {
  if (by === undefined) return;
  const bound = tokens.find(({ prefix }) => prefix === by);
  if (bound === undefined || bound.ended_at !== null) {
    throw makerEnded();
  }
  if (isLater(asked.expires_at, bound.expires_at)) {
    const title = `This token works until ${bound.expires_at}: so does what it makes or prolongs.`;
    throw new RportError("FORBIDDEN", title, { detail: "Sign in for one that works longer." });
  }
  if (bound.scope !== "read+write" && asked.scope !== bound.scope) {
    throw new RportError("FORBIDDEN", `This token makes tokens of scope "${bound.scope}" only.`);
  }
}

/** What whoever asks with a token reads when that was ended meanwhile. */
export function makerEnded(): RportError {
  return new RportError("CONFLICT", "The token that asks for this has ended.");
}

/** Whether one end comes after another; null is never. */
export function isLater(one: string | null, other: string | null): boolean {
  if (other === null) return false;
  return one === null || Date.parse(one) > Date.parse(other);
}
