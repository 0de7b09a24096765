import type { Socket } from "node:net";
import { RportError } from "@rport/protocol/errors";
import type { SignIns } from "../audit/signIns.ts";
import type { Actor } from "./actor.ts";
import type { FailedLogins } from "./failedLogins.ts";
import type { Proofs } from "./proofs.ts";
import type { Checked } from "./signIn/checked.ts";
import { PersonalTokens } from "./signIn/personalTokens.ts";
import type { Sessions } from "./signIn/sessions.ts";
import { SessionTokens } from "./signIn/sessionTokens.ts";
import { type ShownSecret, shownSecret } from "./signIn/shownSecret.ts";
import type { UserTokens } from "./tokens.ts";

/**
 * Who asks, or why not; `retryAfterS` is 0 when the caller may try again at once. `why` is told to
 * those only whose secret is right, and works no longer.
 */
export type GateResult =
  | { readonly kind: "actor"; readonly actor: Actor }
  | { readonly kind: "refused"; readonly retryAfterS: number; readonly why?: string };

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
  readonly personalTokens: Pick<PersonalTokens, "check">;
  readonly sessions: Pick<Sessions, "check">;
  readonly failures: Pick<FailedLogins, "note">;
  readonly proofs: Pick<Proofs, "provenToken">;
  /** Writes down who comes in and who tries to. */
  readonly signIns?: SignIns | undefined;
}

/** The one door of the users' face: tokens of every kind, and the penalty for guessing them. */
export class UserGate {
  /** Tokens that were shown since the start. */
  readonly counters = { accepted: 0, refused: 0 };
  readonly #deps: UserGateDeps;

  constructor(deps: UserGateDeps) {
    this.#deps = deps;
  }

  /** Lets a caller in or not. A valid token always works, however often others were wrong. */
  async admit(caller: Caller): Promise<GateResult> {
    const shown = this.#shown(caller);
    if (shown === undefined) return { kind: "refused", retryAfterS: 0 };
    const checked = await this.#check(shown, caller.address);
    this.counters[checked?.kind === "actor" ? "accepted" : "refused"] += 1;
    if (checked?.kind === "actor") {
      this.#deps.signIns?.accepted(checked.actor, caller.address);
      return checked;
    }
    this.#deps.signIns?.failed(caller.address);
    if (checked !== undefined) return { kind: "refused", retryAfterS: 0, why: checked.why };
    return { kind: "refused", retryAfterS: this.#note(caller) };
  }

  #shown({ connection, authorization, accessToken }: Caller): ShownSecret | undefined {
    const proven = this.#deps.proofs.provenToken(connection, authorization);
    if (proven !== undefined) return { secret: proven, name: undefined };
    const given = shownSecret(authorization);
    if (given !== undefined || accessToken === undefined) return given;
    return { secret: accessToken, name: undefined };
  }

  async #check(shown: ShownSecret, address: string): Promise<Checked | undefined> {
    const { tokens, personalTokens, sessions } = this.#deps;
    const { secret } = shown;
    const local = tokens.check(secret);
    if (local !== undefined) return { kind: "actor", actor: local };
    if (PersonalTokens.isLike(secret)) return personalTokens.check(shown, address);
    // RPort takes a session as Bearer only.
    const isSession = shown.name === undefined && SessionTokens.isLike(secret);
    return isSession ? await sessions.check(secret, address) : undefined;
  }

  #note({ address, isShared }: Caller): number {
    return isShared ? 0 : this.#deps.failures.note(address);
  }
}

/** How somebody without a valid token is answered. */
export function refusal({ retryAfterS, why }: Omit<RefusedAtGate, "kind">): RportError {
  if (retryAfterS > 0) {
    const title = "Too many wrong tokens from your address.";
    return new RportError("TOO_MANY_REQUESTS", title, { retryAfterS });
  }
  return new RportError("UNAUTHORIZED", why ?? TOKEN_NEEDED);
}

/** How a user is answered who has as many connections as one may have. */
export function tooManyConnections(): RportError {
  return new RportError("TOO_MANY_REQUESTS", "You have too many connections open already.", {
    detail: "Close some, or end the token or session that opened them.",
  });
}

type RefusedAtGate = Extract<GateResult, { kind: "refused" }>;

/** One sentence for whoever shows nothing, or something that is nobody's. */
const TOKEN_NEEDED = "A valid token is needed: Authorization: Bearer <token>.";
