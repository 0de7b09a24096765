import { RportError } from "@rport/protocol/errors";
import { ADMINISTRATORS, ALL_PERMISSIONS } from "@rport/protocol/people/right";
import { groupNameSchema, type UserGroup } from "@rport/protocol/people/user";
import type { EditStore } from "../../../store/edits/editStore.ts";
import type { AccountLedger } from "../../../users/accounts/accountLedger.ts";
import type { Handlers } from "../../endpoints.ts";

/** What the handlers of groups of users need. */
export interface UserGroupHandlerDeps {
  readonly ledger: Pick<AccountLedger, "groups">;
  readonly edits: Pick<EditStore, "commit">;
}

const ALL: UserGroup = {
  name: groupNameSchema.parse(ADMINISTRATORS),
  permissions: ALL_PERMISSIONS,
};

/** Serves the groups of users, and what their members may do. */
export function userGroupHandlers({
  ledger,
  edits,
}: UserGroupHandlerDeps): Pick<
  Handlers,
  "listUserGroups" | "getUserGroup" | "putUserGroup" | "deleteUserGroup"
> {
  const list = (): UserGroup[] =>
    [ALL, ...ledger.groups()].sort((one, other) => (one.name < other.name ? -1 : 1));
  return {
    listUserGroups: () => ({ data: list() }),
    getUserGroup({ params }) {
      const data = list().find(({ name }) => name === params.groupName);
      if (data === undefined) throw new RportError("NOT_FOUND", "There is no such group.");
      return { data };
    },
    async putUserGroup({ params: { groupName: name }, body: { permissions } }) {
      const record = { name, permissions };
      await edits.commit([{ kind: "putGroup", record }]);
      return { data: record };
    },
    async deleteUserGroup({ params }) {
      await edits.commit([{ kind: "removeGroup", group: params.groupName }]);
      return undefined;
    },
  };
}
