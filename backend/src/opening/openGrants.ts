import { ClientGrants, type ClientGrantsDeps } from "../access/clientGrants.ts";
import { loggedFault } from "../platform/faults.ts";
import type { Log } from "../platform/log.ts";
import type { Edit } from "../store/edits/edit.ts";
import type { EditStore } from "../store/edits/editStore.ts";

/** What the index of who sees which clients stands on. */
export interface GrantsDeps extends Omit<ClientGrantsDeps, "onFault"> {
  readonly store: Pick<EditStore, "follow" | "readPeople">;
  readonly log: Log;
}

/** Reads who may see which clients, and follows what changes it; after the registry has. */
export async function openGrants({ store, log, ...deps }: GrantsDeps): Promise<ClientGrants> {
  const onFault = loggedFault(log, "a change of who sees which clients");
  const grants = new ClientGrants({ ...deps, onFault });
  await grants.readAll(store.readPeople().client_groups);
  store.follow((edits) => {
    for (const edit of edits) followOne(grants, edit)?.catch(onFault);
  });
  return grants;
}

/** What goes on after the turn of the edit, if something does. */
function followOne(grants: ClientGrants, edit: Edit): Promise<void> | undefined {
  switch (edit.kind) {
    case "seen":
    case "acl":
    case "give":
      grants.refresh(edit.record.id);
      return undefined;
    case "adopt":
      grants.refresh(edit.record.id);
      grants.refresh(edit.from.client);
      return undefined;
    case "forget":
      grants.refresh(edit.client);
      return undefined;
    case "addClientGroup":
    case "putClientGroup":
      return grants.putGroup(edit.record);
    case "removeClientGroup":
      return grants.dropGroup(edit.group);
    case "removeGroup":
      return grants.dropUsers(edit.group);
    default:
      return undefined;
  }
}
