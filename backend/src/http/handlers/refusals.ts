import type { Refusals } from "../../clients/refusals.ts";
import type { Handlers } from "../endpoints.ts";

/** Serves the list of agents that were not let in. */
export function refusalHandlers(
  refusals: Pick<Refusals, "list" | "clear">,
): Pick<Handlers, "listRefusals" | "clearRefusals"> {
  return {
    listRefusals() {
      const all = refusals.list();
      return { data: all, count: all.length };
    },
    clearRefusals() {
      refusals.clear();
      return undefined;
    },
  };
}
