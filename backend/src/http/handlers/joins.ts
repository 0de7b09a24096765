import type { JoinDesk } from "../../credentials/admission/joinGate.ts";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { Handlers } from "../endpoints.ts";

/** Serves the clients that wait for approval. */
export function joinHandlers(
  joins: Omit<JoinDesk, "get">,
  searches: Pick<ListSearches, "all">,
): Pick<Handlers, "listJoins" | "approveJoin" | "denyJoin"> {
  return {
    listJoins(_input, { actor }) {
      return searches.all(
        actor,
        () => joins.list(),
        (one) => one,
      );
    },
    approveJoin: async ({ params }) => ({ data: joins.approve(params.joinId) }),
    denyJoin: async ({ params }) => ({ data: joins.deny(params.joinId) }),
  };
}
