import type { TerminalView } from "@rport/protocol/terminal/endpoints";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { ListSpec } from "../../lists/listSpec.ts";
import type { Terminals } from "../../terminals/terminals.ts";
import type { Handlers } from "../endpoints.ts";

/** What the handlers of terminals need. */
export interface TerminalHandlerDeps {
  readonly terminals: Pick<Terminals, "seenBy" | "close">;
  readonly searches: Pick<ListSearches, "run">;
}

/** Every member may be searched and sorted by. */
const COLUMNS: ListSpec<TerminalView>["filters"] = {
  id: ({ id }) => id,
  client_id: ({ client_id: client }) => client,
  owner: ({ owner }) => owner,
  account: ({ account }) => account,
  started_at: ({ started_at: at }) => at,
  attached: ({ attached }) => attached,
  connected: ({ connected }) => connected,
  recorded: ({ recorded }) => recorded,
};

/** Each terminal is sent whole. */
const terminalList: ListSpec<TerminalView> = {
  resource: "terminals",
  filters: COLUMNS,
  times: ["started_at"],
  order: ({ started_at: at, id }) => `${at} ${id}`,
  sorts: COLUMNS,
  fields: {},
  defaultFields: [],
};

/** Serves the terminals that people have on hosts. */
export function terminalHandlers({
  terminals,
  searches,
}: TerminalHandlerDeps): Pick<Handlers, "listTerminals" | "deleteTerminal"> {
  return {
    listTerminals({ query }, { actor }) {
      const items = terminals.seenBy(actor);
      return searches.run(actor, { items, query, spec: terminalList, row: (one) => one });
    },
    deleteTerminal({ params }, { actor }) {
      terminals.close(params.terminalId, actor);
      return undefined;
    },
  };
}
