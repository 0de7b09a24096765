import type { Invitation } from "@rport/protocol/people/invitation";
import type { UserName } from "@rport/protocol/people/user";
import type { Api } from "../api/http.ts";
import { accessList, type UserAccess } from "../model/userAccess.ts";
import { FetchedLists } from "./fetchedLists.ts";

/** The one key of the list of invitations. */
export const ALL_INVITATIONS = "";

/** What administrators may look at beside the users themselves. */
export class People {
  /** Tokens and sessions, by user. */
  readonly access: FetchedLists<UserAccess>;
  /** Invitations that can still be accepted, under `ALL_INVITATIONS`. */
  readonly invitations: FetchedLists<Invitation>;

  constructor(api: Pick<Api, "call">) {
    this.access = new FetchedLists(async (userName) => {
      const params = { userName: userName as UserName };
      const [tokens, sessions] = await Promise.all([
        api.call("listUserTokens", { params }),
        api.call("listSessions", { params }),
      ]);
      return accessList(tokens, sessions);
    });
    this.invitations = new FetchedLists(() => api.call("listInvitations"));
  }

  /** Forgets everything. */
  clear(): void {
    this.access.clear();
    this.invitations.clear();
  }
}
