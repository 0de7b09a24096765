import { RportError } from "@rport/protocol/errors";
import type { ME_ENDPOINTS } from "@rport/protocol/people/meEndpoints";
import { tokenView, type UserViews } from "../../users/accounts/userViews.ts";
import type { Actor } from "../../users/actor.ts";
import type { OwnAccount } from "../../users/signIn/ownAccount.ts";
import type { OwnFactor } from "../../users/signIn/ownFactor.ts";
import type { PersonalTokens } from "../../users/signIn/personalTokens.ts";
import type { Handlers } from "../endpoints.ts";

/** What users' endpoints about themselves stand on. */
export interface MeHandlerDeps {
  readonly own: OwnAccount;
  readonly ownFactor: OwnFactor;
  readonly personalTokens: PersonalTokens;
  readonly users: Pick<UserViews, "tokensOf">;
}

/** The endpoints of users about themselves. */
export function meHandlers(deps: MeHandlerDeps): Pick<Handlers, keyof typeof ME_ENDPOINTS> {
  const { own, ownFactor } = deps;
  return {
    getMe: (_, { actor }) => ({ data: own.show(actor) }),
    async updateMe({ body }, { actor, address, isShared }) {
      await own.change(actor, body, { address, isShared });
      return undefined;
    },
    getMyAddress: (_, { address }) => ({ data: { ip: address } }),
    ...tokenHandlers(deps),
    ...factorHandlers(own, ownFactor),
  };
}

function tokenHandlers({
  own,
  personalTokens,
  users,
}: MeHandlerDeps): Pick<Handlers, "listTokens" | "createToken" | "updateToken" | "deleteToken"> {
  return {
    listTokens(_, { actor }) {
      const data = users.tokensOf(own.need(actor).username, actor.tokenId);
      return { data, count: data.length };
    },
    async createToken({ body }, { actor }) {
      own.need(actor);
      requireScope(actor, body.scope);
      return { data: await personalTokens.createBy(actor, body) };
    },
    async updateToken({ params, body }, { actor }) {
      own.need(actor);
      const record = await personalTokens.changeBy(actor, params.prefix, body);
      return { data: tokenView(record, actor.tokenId) };
    },
    async deleteToken({ params }, { actor }) {
      await personalTokens.end(own.need(actor).username, params.prefix);
      return undefined;
    },
  };
}

function factorHandlers(
  own: OwnAccount,
  factor: OwnFactor,
): Pick<Handlers, "getTotpSecret" | "createTotpSecret" | "confirmTotp" | "deleteTotpSecret"> {
  return {
    getTotpSecret(_, { actor }) {
      const { totp } = own.need(actor);
      if (totp === null) throw new RportError("NOT_FOUND", "There is no second factor.");
      return { data: { totp_key_status: totp.confirmed ? "exists" : "pending" } };
    },
    createTotpSecret: async ({ body }, { actor, address, isShared }) => ({
      data: await factor.create(actor, body.password, { address, isShared }),
    }),
    async confirmTotp({ body }, { actor, address, isShared }) {
      await factor.confirm(actor, body.token, { address, isShared });
      return undefined;
    },
    async deleteTotpSecret({ body }, { actor, address, isShared }) {
      await factor.remove(actor, body.token, { address, isShared });
      return undefined;
    },
  };
}

/** As in RPort, only administrators make tokens for the endpoints of credentials. */
function requireScope(actor: Actor, scope: string): void {
  if (scope !== "clients-auth" || actor.isAdministrator) return;
  throw new RportError(
    "BAD_REQUEST",
    "Only members of Administrators can make a token of scope clients-auth.",
  );
}
