import type { JoinDesk } from "../../credentials/admission/joinGate.ts";
import type { Handlers } from "../endpoints.ts";

/** Serves the clients that wait for approval. */
export function joinHandlers(
  joins: Omit<JoinDesk, "get">,
): Pick<Handlers, "listJoins" | "approveJoin" | "denyJoin"> {
  return {
    listJoins() {
      const all = [...joins.list()];
      return { data: all, count: all.length };
    },
    approveJoin: async ({ params }) => ({ data: joins.approve(params.joinId) }),
    denyJoin: async ({ params }) => ({ data: joins.deny(params.joinId) }),
  };
}
