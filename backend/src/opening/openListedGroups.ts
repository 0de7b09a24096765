import { ListedGroups, type ListedGroupsDeps } from "../access/listedGroups.ts";
import { loggedFault } from "../platform/faults.ts";
import type { Log } from "../platform/log.ts";
import type { EditStore } from "../store/edits/editStore.ts";

/** What keeps the lists of groups of users free of those that are gone. */
export interface OpenListedGroupsDeps extends ListedGroupsDeps {
  readonly store: Pick<EditStore, "announce" | "commit" | "follow">;
  readonly log: Log;
}

/** Takes groups of users that are gone off all lists, now and whenever one goes. */
export async function openListedGroups({ log, ...deps }: OpenListedGroupsDeps): Promise<void> {
  const lists = new ListedGroups(deps);
  const onFault = loggedFault(log, "a list of who may see what");
  await lists.takeOffUnknown().catch(onFault);
  deps.store.follow((edits) => {
    for (const edit of edits) {
      if (edit.kind === "removeGroup") lists.takeOff(edit.group).catch(onFault);
    }
  });
}
