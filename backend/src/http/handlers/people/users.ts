import { RportError } from "@rport/protocol/errors";
import type { NewToken, NewTokenInput } from "@rport/protocol/people/token";
import type { KnownSecret, UserName } from "@rport/protocol/people/user";
import type { ListSearches } from "../../../lists/listSearches.ts";
import { noSuchToken } from "../../../store/edits/accountEdit.ts";
import type { Entrances } from "../../../users/accounts/entrances.ts";
import type { UserViews } from "../../../users/accounts/userViews.ts";
import type { Actor } from "../../../users/actor.ts";
import type { UserAdministration } from "../../../users/administration/userAdministration.ts";
import type { Freshness } from "../../../users/signIn/freshness.ts";
import type { Handlers } from "../../endpoints.ts";

/** What the handlers of users need. */
export interface UserHandlerDeps {
  readonly users: UserViews;
  readonly searches: Pick<ListSearches, "all">;
  readonly administration: UserAdministration;
  readonly freshness: Freshness;
  readonly entrances: Entrances;
  /** What somebody knows by this name; see `knownSecrets`. */
  readonly knownSecrets: (user: string) => Promise<KnownSecret[]>;
  /** Makes a token of the user. */
  readonly createToken: (user: UserName, input: NewTokenInput) => Promise<NewToken>;
}

type Served =
  | "listUsers"
  | "createUser"
  | "updateUser"
  | "deleteUser"
  | "disableUser"
  | "enableUser"
  | "listKnownSecrets"
  | "deleteUserTotp"
  | TokenServed;
type TokenServed =
  | "listSessions"
  | "deleteSessions"
  | "deleteSession"
  | "listUserTokens"
  | "createUserToken"
  | "deleteUserToken";

/** Serves what administrators do with users. */
export function userHandlers(deps: UserHandlerDeps): Pick<Handlers, Served> {
  const { users, administration, knownSecrets, freshness, searches } = deps;
  /** Administrators get round nothing that is asked of everybody about themselves. */
  const requireOther = (actor: Actor, user: UserName, own: string): void => {
    if (actor.hasAccount && actor.name === user) freshness.require(actor, `Your own ${own}.`);
  };
  return {
    async listUsers(_input, { actor }) {
      const { data } = await searches.all(
        actor,
        () => users.all(),
        (one) => one,
      );
      return { data };
    },
    async createUser({ body }, { actor }) {
      await administration.create(body, actor);
      return { data: undefined };
    },
    async updateUser({ params, body }, { actor }) {
      const isRenaming = body.username !== undefined && body.username !== params.userName;
      if (body.password) requireOther(actor, params.userName, "password: PUT /me");
      if (isRenaming) requireOther(actor, params.userName, "name: PUT /me");
      await administration.update(params.userName, body, actor);
      return undefined;
    },
    async deleteUser({ params }) {
      await administration.remove(params.userName);
      return undefined;
    },
    async disableUser({ params: { userName }, query }) {
      if (query.dry_run === true) return { data: administration.previewDisable(userName) };
      return { data: await administration.disable(userName) };
    },
    async enableUser({ params }) {
      await administration.enable(params.userName);
      return undefined;
    },
    async listKnownSecrets({ params: { userName } }) {
      const data = await knownSecrets(userName);
      // Of somebody who was deleted, what they knew still counts.
      if (data.length === 0) administration.require(userName);
      return { data };
    },
    async deleteUserTotp({ params }, { actor }) {
      requireOther(actor, params.userName, "second factor: DELETE /me/totp-secret");
      await administration.removeTotp(params.userName);
      return undefined;
    },
    ...entranceHandlers(deps),
  };
}

/** Serves what administrators do with the tokens and sessions of others. */
function entranceHandlers({
  users,
  administration,
  entrances,
  createToken,
}: UserHandlerDeps): Pick<Handlers, TokenServed> {
  return {
    listSessions({ params }) {
      return { data: users.sessionsOf(administration.require(params.userName)) };
    },
    async deleteSessions({ params }) {
      await entrances.endSessions(administration.require(params.userName));
      return undefined;
    },
    async deleteSession({ params: { userName, sessionId } }) {
      const user = administration.require(userName);
      const isThere = users.sessionsOf(user).some(({ session_id: id }) => id === sessionId);
      if (!isThere) throw new RportError("NOT_FOUND", "There is no such session.");
      await entrances.endSession(user, sessionId);
      return undefined;
    },
    listUserTokens({ params }) {
      return { data: users.tokensOf(administration.require(params.userName)) };
    },
    async createUserToken({ params, body }, { actor }) {
      requireLocal(actor.hasAccount);
      administration.require(params.userName);
      return { data: await createToken(params.userName, body) };
    },
    async deleteUserToken({ params: { userName, prefix } }) {
      const user = administration.require(userName);
      if (!users.tokensOf(user).some((token) => token.prefix === prefix)) throw noSuchToken();
      await entrances.endToken(user, prefix);
      return undefined;
    },
  };
}

function requireLocal(hasAccount: boolean): void {
  if (!hasAccount) return;
  throw new RportError(
    "FORBIDDEN",
    "A token in another user's name is made on the backend's own machine only.",
  );
}
