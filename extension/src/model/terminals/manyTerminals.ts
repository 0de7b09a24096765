import { t } from "@vscode/l10n";
import { nameSome, plainText } from "../../support/text.ts";
import { displayName } from "../arrange.ts";
import { NAMES_MAX } from "../blast.ts";

/** Nobody selects more than these by mistake. */
const HANDFUL = 5;

/** What is asked before many terminals are opened at once. */
export interface ManyTerminals {
  readonly question: string;
  readonly lines: readonly string[];
  readonly button: string;
}

/** The question before a shell is begun on each of these clients; undefined: they are a handful. */
export function manyTerminals(
  clients: readonly Parameters<typeof displayName>[0][],
): ManyTerminals | undefined {
  if (clients.length <= HANDFUL) return undefined;
  const names = nameSome(
    clients.map((client) => plainText(displayName(client))),
    NAMES_MAX,
  );
  return {
    question: t("Open {0} terminals?", clients.length),
    lines: [t("A shell is begun on each of {0}.", names)],
    button: t("Open"),
  };
}
