import { t } from "@vscode/l10n";
import { plural } from "../../support/plural.ts";
import { escapeMarkdown } from "../../support/text.ts";
import { ago, timeOrDay } from "../relativeTime.ts";
import { sizeText, type Throughput, type Traffic } from "../tunnels/traffic.ts";
import type { Row } from "./row.ts";

/** What the tooltip of a tunnel says. */
export interface TunnelTooltipFacts {
  /** Its row, which says the rest. */
  readonly row: Row;
  /** Undefined: nobody can tell, or it is not open. */
  readonly traffic: Traffic | undefined;
  /** What goes through now; undefined: nobody has a connection, or it is not known. */
  readonly now: Throughput | undefined;
  readonly nowMs: number;
}

/** What a hover over a tunnel shows, in Markdown. */
export function tunnelTooltip({ row, traffic, now, nowMs }: TunnelTooltipFacts): string {
  const lines = [
    `**${escapeMarkdown(row.label)}**`,
    escapeMarkdown(withoutLabel(row)),
    ...(traffic === undefined ? [] : trafficSentences(traffic, now, nowMs).map(escapeMarkdown)),
  ];
  return lines.filter((line) => line !== "").join("  \n");
}

/** A narrow view cuts descriptions off, and what is spoken has everything. */
function withoutLabel({ label, spoken }: Row): string {
  return spoken.startsWith(`${label}, `) ? spoken.slice(label.length + 2) : spoken;
}

/** What goes through a tunnel now, what did since when, and when somebody used it last, as sentences. */
export function trafficSentences(
  traffic: Traffic,
  now: Throughput | undefined,
  nowMs: number,
): readonly string[] {
  const { sinceMs, connections, connectionsTotal: total, usedAtMs } = traffic;
  const since = timeOrDay(sinceMs, nowMs);
  if (total === 0) return [t("Nobody has used it yet. It is open since {0}.", since)];
  const isUsed = connections > 0 || usedAtMs === undefined;
  return [
    now === undefined ? "" : throughputSentence(now),
    totalSentence(traffic, since),
    plural(
      total,
      t("{0} connection since then, {1} of them open.", total, connections),
      t("{0} connections since then, {1} of them open.", total, connections),
    ),
    isUsed ? "" : t("Last used: {0}.", ago(new Date(usedAtMs).toISOString(), nowMs)),
  ].filter((sentence) => sentence !== "");
}

function totalSentence({ received, sent }: Traffic, since: string): string {
  return received + sent === 0
    ? t("Nothing has come or gone through it yet, since {0}.", since)
    : t("Since {0}: {1} received, {2} sent.", since, sizeText(received), sizeText(sent));
}

function throughputSentence({ received, sent }: Throughput): string {
  const isStill = Math.round(received) + Math.round(sent) === 0;
  if (isStill) return t("At this moment nothing goes through it.");
  return t("Now: {0}/s received, {1}/s sent.", sizeText(received), sizeText(sent));
}
