import { ClientGrants, type ClientGrantsDeps } from "../access/clientGrants.ts";
import type { Edit } from "../store/edits/edit.ts";
import type { EditStore } from "../store/edits/editStore.ts";

/** What the index of who sees which clients stands on. */
export interface GrantsDeps extends ClientGrantsDeps {
  readonly store: Pick<EditStore, "follow">;
}

/** Reads who may see which clients, and follows what changes it; after the registry has. */
export async function openGrants({ store, ...deps }: GrantsDeps): Promise<ClientGrants> {
  const grants = new ClientGrants(deps);
  await grants.readAll();
  store.follow((edits) => {
    for (const edit of edits) followOne(grants, edit);
  });
  return grants;
}

function followOne(grants: ClientGrants, edit: Edit): void {
  switch (edit.kind) {
    case "seen":
    case "acl":
      grants.refresh(edit.record.id);
      return;
    case "adopt":
      grants.refresh(edit.record.id);
      grants.refresh(edit.from.client);
      return;
    case "forget":
      grants.refresh(edit.client);
      return;
    default:
  }
}
