import type { Refusals } from "../../clients/refusals.ts";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { Handlers } from "../endpoints.ts";

/** Serves the list of agents that were not let in. */
export function refusalHandlers(
  refusals: Pick<Refusals, "list" | "clear">,
  searches: Pick<ListSearches, "all">,
): Pick<Handlers, "listRefusals" | "clearRefusals"> {
  return {
    listRefusals(_input, { actor }) {
      return searches.all(
        actor,
        () => refusals.list(),
        (one) => one,
      );
    },
    clearRefusals() {
      refusals.clear();
      return undefined;
    },
  };
}
