import { t } from "@vscode/l10n";
import { plural } from "../support/plural.ts";
import { inertLine, nameSome } from "../support/text.ts";

/** Names in a question; more are counted. */
const NAMES_MAX = 5;
/** Of what a program wrote, the end is worth telling. */
const LINES_MAX = 10;
const LINE_MAX = 500;
/** How the backend begins the sentence that says why it cannot start. */
const SAID = /^rport-backend: /;

/** The last lines of what a backend wrote that did not start, without secrets. */
export function lastLines(output: string, clean: (text: string) => string): readonly string[] {
  const lines = clean(output).split("\n").map(inertLine);
  return lines
    .filter((line) => line !== "")
    .slice(-LINES_MAX)
    .map((line) => line.slice(0, LINE_MAX));
}

/** Why it did not start, by what it wrote. */
export function startReason(lines: readonly string[]): string {
  const said = lines.findLast((line) => SAID.test(line)) ?? lines.at(-1);
  return said?.replace(SAID, "") ?? t("It ended without saying why.");
}

/** What ends with a backend. */
export interface Ending {
  /** The names of the clients that are online. */
  readonly online: readonly string[];
  /** Tunnels through it that end on this computer. */
  readonly tunnels: number;
  /** Whether the editor has started it. */
  readonly isOurs: boolean;
}

/** What a stop hits, a sentence each. */
export function endingLines({ online, tunnels, isOurs }: Ending): readonly string[] {
  const n = online.length;
  const names = nameSome(online.map(inertLine), NAMES_MAX);
  return [
    n === 0
      ? t("No client is connected.")
      : plural(
          n,
          t("Disconnected: {0} client ({1}).", n, names),
          t("Disconnected: {0} clients ({1}).", n, names),
        ),
    tunnels === 0
      ? ""
      : plural(
          tunnels,
          t("Closed: {0} tunnel of this window.", tunnels),
          t("Closed: {0} tunnels of this window.", tunnels),
        ),
    t("Nothing is deleted: agents come back by themselves when it is started again."),
    isOurs
      ? ""
      : t("It was not started by the editor: whatever started it may start it again, or has to."),
  ].filter((line) => line !== "");
}
