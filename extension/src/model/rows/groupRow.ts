import { t } from "@vscode/l10n";
import { plural } from "../../support/plural.ts";
import { type Group, groupLabel } from "../shown/grouping.ts";
import { contextValue } from "./contextValue.ts";
import { joinSpoken, type Row } from "./row.ts";

/** What a group's row depends on. */
export interface GroupFacts {
  readonly group: Group;
  readonly clients: number;
  /** Whether a filter is set: then what it found is to be seen. */
  readonly isFiltered: boolean;
  /** Whether one may open terminals on its server. */
  readonly mayTerminal: boolean;
}

/** A group's row. Offline clients are kept, but out of the way. */
export function groupRow({ group, clients, isFiltered, mayTerminal }: GroupFacts): Row {
  const label = groupLabel(group);
  return {
    label,
    description: String(clients),
    icon: undefined,
    context: contextValue("group", {
      [group.by]: true,
      mayTerminal: mayTerminal && !isOffline(group),
    }),
    children: isFiltered || isOpenAtFirst(group) ? "expanded" : "collapsed",
    spoken: joinSpoken(label, plural(clients, t("{0} client", clients), t("{0} clients", clients))),
  };
}

function isOffline({ by, value }: Group): boolean {
  return by === "status" && value !== "online";
}

/** Many groups are an overview first; those of which there are two or three are not. */
function isOpenAtFirst({ by, value }: Group): boolean {
  return by === "pinned" || (by === "status" && value === "online");
}
