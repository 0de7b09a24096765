import { RportError } from "@rport/protocol/errors";
import type { SignIns } from "../audit/signIns.ts";
import type { FailedLogins } from "./failedLogins.ts";
import type { User, UserTokens } from "./tokens.ts";

/** Who asks, or why not; `retryAfterS` is 0 when the caller may try again at once. */
export type GateResult =
  | { readonly kind: "user"; readonly user: User }
  | { readonly kind: "refused"; readonly retryAfterS: number };

/** What a caller showed, and from where. */
export interface Caller {
  readonly address: string;
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
  /** `?access_token=`, which only WebSocket routes read. */
  readonly accessToken?: string | undefined;
}

/** The one door of the users' face: tokens, and the penalty for guessing them. */
export class UserGate {
  readonly #tokens: UserTokens;
  readonly #failures: FailedLogins;
  readonly #signIns: SignIns | undefined;

  /** `signIns` writes down who comes in and who tries to. */
  constructor(tokens: UserTokens, failures: FailedLogins, signIns?: SignIns) {
    this.#signIns = signIns;
    this.#tokens = tokens;
    this.#failures = failures;
  }

  /** Lets a caller in or not. A valid token always works, however often others were wrong. */
  admit({ address, authorization, accessToken }: Caller): GateResult {
    const token = presentedToken(authorization) ?? accessToken;
    if (token === undefined) return { kind: "refused", retryAfterS: 0 };
    const user = this.#tokens.check(token);
    if (user !== undefined) {
      this.#signIns?.accepted(user, address);
      return { kind: "user", user };
    }
    this.#signIns?.failed(address);
    return { kind: "refused", retryAfterS: this.#failures.note(address) };
  }
}

/** The token in `Bearer <token>`, or in `Basic` as the password of any user, as RPort takes it. */
export function presentedToken(authorization: string | undefined): string | undefined {
  const [, scheme, value] = /^(bearer|basic) +([^ ]+)$/i.exec(authorization ?? "") ?? [];
  if (scheme === undefined || value === undefined) return undefined;
  if (scheme.toLowerCase() === "bearer") return value;
  const pair = Buffer.from(value, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : pair.slice(colon + 1);
}

/** How somebody without a valid token is answered. */
export function refusal(retryAfterS: number): RportError {
  return retryAfterS > 0
    ? new RportError("TOO_MANY_REQUESTS", "Too many wrong tokens from your address.")
    : new RportError("UNAUTHORIZED", "A valid token is needed: Authorization: Bearer <token>.");
}
