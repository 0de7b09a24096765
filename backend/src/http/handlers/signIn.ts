import { RportError } from "@rport/protocol/errors";
import type { Audit } from "../../audit/entry.ts";
import type { Entrances } from "../../users/accounts/entrances.ts";
import type { OwnAccount } from "../../users/signIn/ownAccount.ts";
import { basicCredentials } from "../../users/signIn/shownSecret.ts";
import type { SignIn, SignInFrom } from "../../users/signIn/signIn.ts";
import type { CallContext, Handlers } from "../endpoints.ts";

/** What signing in and out stands on. */
export interface SignInHandlerDeps {
  readonly signIn: SignIn;
  readonly own: OwnAccount;
  readonly entrances: Pick<Entrances, "endSession">;
  readonly audit: Pick<Audit, "ready">;
}

/** The endpoints of signing in and out. */
export function signInHandlers({
  signIn,
  own,
  entrances,
  audit,
}: SignInHandlerDeps): Pick<
  Handlers,
  "loginWithBasic" | "login" | "verifySecondFactor" | "logout"
> {
  return {
    async loginWithBasic({ query }, context) {
      const typed = basicCredentials(context.authorization);
      if (typed === undefined) throw nameIsMissing();
      await audit.ready();
      const from = fromOf(context, query["token-lifetime"]);
      return { data: await signIn.withPassword(typed, from) };
    },
    async login({ query, body }, context) {
      const { username, password, new_password: newPassword } = body;
      if (username === "") throw nameIsMissing();
      const from = fromOf(context, query["token-lifetime"]);
      return { data: await signIn.withPassword({ username, password, newPassword }, from) };
    },
    async verifySecondFactor({ query, body }, context) {
      const from = fromOf(context, query["token-lifetime"]);
      return { data: { token: await signIn.withCode(context.actor, body, from) } };
    },
    async logout(_, { actor }) {
      const { username } = own.need(actor);
      const session = own.sessionOf(actor);
      if (session === undefined) {
        throw new RportError(
          "BAD_REQUEST",
          "This is a personal token: DELETE /me/tokens/<prefix>.",
        );
      }
      await entrances.endSession(username, session);
      return undefined;
    },
  };
}

function fromOf(
  { address, isShared, userAgent }: CallContext,
  lifetimeS: number | undefined,
): SignInFrom {
  return { address, isShared, userAgent, lifetimeS };
}

function nameIsMissing(): RportError {
  return new RportError("UNAUTHORIZED", "Name and password are needed.");
}
