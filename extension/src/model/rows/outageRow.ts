import { t } from "@vscode/l10n";
import { timeOrDay } from "../relativeTime.ts";
import type { Outage } from "../shown/outages.ts";
import { contextValue } from "./contextValue.ts";
import { joinSpoken, type Row } from "./row.ts";

/** What the row of hosts that went together depends on. */
export interface OutageFacts {
  readonly outage: Outage;
  /** How many of them are shown here; at least two. */
  readonly hosts: number;
  /** Whether a filter is set: then what it found is to be seen. */
  readonly isFiltered: boolean;
  readonly nowMs: number;
}

/** One row for hosts that went together. */
export function outageRow({ outage, hosts, isFiltered, nowMs }: OutageFacts): Row {
  const label = t("{0} hosts behind {1}", hosts, outage.network);
  const description = t("went at {0}", timeOrDay(outage.atMs, nowMs));
  return {
    label,
    description,
    icon: { name: "vm-outline", color: "disabledForeground" },
    context: contextValue("outage"),
    children: isFiltered ? "expanded" : "collapsed",
    spoken: joinSpoken(`${label} ${description}`, t("offline")),
  };
}
