import type { Socket } from "node:net";
import { RportError } from "@rport/protocol/errors";
import type { SignIns } from "../audit/signIns.ts";
import type { Actor } from "./actor.ts";
import type { FailedLogins } from "./failedLogins.ts";
import type { Proofs } from "./proofs.ts";
import type { UserTokens } from "./tokens.ts";

/** Who asks, or why not; `retryAfterS` is 0 when the caller may try again at once. */
export type GateResult =
  | { readonly kind: "actor"; readonly actor: Actor }
  | { readonly kind: "refused"; readonly retryAfterS: number };

/** What a caller showed, and from where. */
export interface Caller {
  readonly address: string;
  /** Others may have the same address: nobody is made to wait for what came from there. */
  readonly isShared: boolean;
  /** The connection that the caller uses; a proof is worth something on its own one only. */
  readonly connection: Socket;
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
  /** `?access_token=`, which only WebSocket routes read. */
  readonly accessToken?: string | undefined;
}

/** What the gate needs. */
export interface UserGateDeps {
  readonly tokens: Pick<UserTokens, "check">;
  readonly failures: Pick<FailedLogins, "note">;
  readonly proofs: Pick<Proofs, "provenToken">;
  /** Writes down who comes in and who tries to. */
  readonly signIns?: SignIns | undefined;
}

/** The one door of the users' face: tokens, and the penalty for guessing them. */
export class UserGate {
  /** Tokens that were shown since the start. */
  readonly counters = { accepted: 0, refused: 0 };
  readonly #deps: UserGateDeps;

  constructor(deps: UserGateDeps) {
    this.#deps = deps;
  }

  /** Lets a caller in or not. A valid token always works, however often others were wrong. */
  admit({ address, isShared, connection, authorization, accessToken }: Caller): GateResult {
    const { tokens, failures, proofs, signIns } = this.#deps;
    const proven = proofs.provenToken(connection, authorization);
    const token = proven ?? presentedToken(authorization) ?? accessToken;
    if (token === undefined) return { kind: "refused", retryAfterS: 0 };
    const actor = tokens.check(token);
    this.counters[actor === undefined ? "refused" : "accepted"] += 1;
    if (actor !== undefined) {
      signIns?.accepted(actor, address);
      return { kind: "actor", actor };
    }
    signIns?.failed(address);
    return { kind: "refused", retryAfterS: isShared ? 0 : failures.note(address) };
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
