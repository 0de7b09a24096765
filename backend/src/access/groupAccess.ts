import type { ClientId } from "@rport/protocol/ids";
import type { Client } from "@rport/protocol/model";
import type { ClientAccess } from "../users/clientAccess.ts";
import type { ClientGrants } from "./clientGrants.ts";

/**
 * RPort's rule: administrators see every client; others see those that one of their groups is
 * allowed to see, by the client's own list or by that of a group of clients it is in.
 */
export class GroupAccess implements ClientAccess {
  readonly #grants: Pick<ClientGrants, "grantsOf">;

  constructor(grants: Pick<ClientGrants, "grantsOf">) {
    this.#grants = grants;
  }

  maySee(
    { isAdministrator, groups }: Parameters<ClientAccess["maySee"]>[0],
    id: ClientId,
  ): boolean {
    return isAdministrator || this.#grants.grantsOf(id).some((group) => groups.includes(group));
  }
}

/** A client as somebody is shown it: a record that may be its earlier one, only if they see that. */
export function shownClient<C extends Client>(client: C, sees: (id: ClientId) => boolean): C {
  const { looks_like: earlier } = client;
  return earlier === null || sees(earlier) ? client : { ...client, looks_like: null };
}
