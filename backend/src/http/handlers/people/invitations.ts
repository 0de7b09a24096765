import type { EndpointInput, EndpointOutput } from "@rport/protocol/http";
import type { AccountLedger } from "../../../users/accounts/accountLedger.ts";
import type { Actor } from "../../../users/actor.ts";
import { isAdministrator } from "../../../users/administration/administrators.ts";
import { requireGroups } from "../../../users/administration/newUser.ts";
import type { Invitations } from "../../../users/invitations/invitations.ts";
import type { TriesFrom } from "../../../users/signIn/guessing.ts";
import type { Handlers } from "../../endpoints.ts";

/** What the handlers of invitations need. */
export interface InvitationHandlerDeps {
  readonly invitations: Invitations;
  readonly ledger: AccountLedger;
  readonly accept: (
    body: EndpointInput<"acceptInvitation">["body"],
    from: TriesFrom,
  ) => Promise<EndpointOutput<"acceptInvitation">>;
}

/** Serves invitations: administrators make them, and whoever knows the code of one accepts it. */
export function invitationHandlers({
  invitations,
  ledger,
  accept,
}: InvitationHandlerDeps): Pick<
  Handlers,
  "listInvitations" | "createInvitation" | "deleteInvitation" | "acceptInvitation"
> {
  return {
    listInvitations: () => ({ data: invitations.list() }),
    createInvitation({ body }, { actor }) {
      requireGroups(ledger, body.groups);
      const { groups, display_name: displayName } = body;
      const isBacked = () => mayInvite(actor, ledger);
      return { data: invitations.create({ groups, displayName, maker: actor, isBacked }) };
    },
    deleteInvitation({ params }) {
      invitations.revoke(params.invitationId);
      return undefined;
    },
    async acceptInvitation({ body }, { address, isShared }) {
      return { data: await accept(body, { address, isShared }) };
    },
  };
}

/** Whoever invited may have signed out since, but has to be an administrator still. */
function mayInvite({ hasAccount, name }: Actor, ledger: AccountLedger): boolean {
  if (!hasAccount) return true;
  const record = ledger.get(name)?.record;
  return record !== undefined && isAdministrator(record);
}
