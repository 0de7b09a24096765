import { t } from "@vscode/l10n";
import { withFlag } from "./contextValue.ts";
import { joinSpoken, type Row } from "./row.ts";

/** A row of a server that is away: what was true when it was last heard of, and so not to be acted on. */
export function staleRow(row: Row): Row {
  const { icon, context, spoken } = row;
  return {
    ...row,
    icon: icon === undefined ? undefined : { name: still(icon.name), color: "disabledForeground" },
    context: withFlag(context, "stale"),
    spoken: joinSpoken(spoken, t("not up to date")),
  };
}

/** Nothing is known to move. */
function still(icon: string): string {
  return icon.replace("~spin", "");
}
