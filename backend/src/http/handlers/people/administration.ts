import type { Handlers } from "../../endpoints.ts";
import { type InvitationHandlerDeps, invitationHandlers } from "./invitations.ts";
import { type UserGroupHandlerDeps, userGroupHandlers } from "./userGroups.ts";
import { type UserHandlerDeps, userHandlers } from "./users.ts";

/** What the administration of people is served with. */
export type AdministrationHandlerDeps = UserHandlerDeps &
  UserGroupHandlerDeps &
  InvitationHandlerDeps;

/** Serves everything that administrators do with people. */
export function administrationHandlers(deps: AdministrationHandlerDeps) {
  return {
    ...userHandlers(deps),
    ...userGroupHandlers(deps),
    ...invitationHandlers(deps),
  } satisfies Partial<Handlers>;
}
