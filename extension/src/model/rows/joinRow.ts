import type { Join } from "@rport/protocol/join";
import { t } from "@vscode/l10n";
import { escapeMarkdown } from "../../support/text.ts";
import { doubtAdvice, doubtKeys, doubtSentence, doubtWords } from "../joinDoubt.ts";
import { until } from "../relativeTime.ts";
import { contextValue } from "./contextValue.ts";
import { joinDots, joinSpoken, type Row } from "./row.ts";

/** What a host that waits is called: its name, else its host name, else its id. */
export function joinName({ name, hostname, client_id: id }: Join): string {
  return name || hostname || id;
}

/** The row of a host that waits to be let in. */
export function joinRow(join: Join, nowMs: number): Row {
  const label = t("{0} waits to join", joinName(join));
  const waits = t("given up {0}", until(join.expires_at, nowMs));
  return {
    label,
    // What is odd first: a narrow side bar cuts the rest off.
    description: joinDots(doubtWords(join), join.address, join.credential_id),
    icon: {
      name: join.reason === "new" ? "person-add" : "warning",
      color: "list.warningForeground",
    },
    context: contextValue("join"),
    children: "none",
    spoken: joinSpoken(
      label,
      doubtWords(join),
      t("from {0}", join.address),
      t("credential {0}", join.credential_id),
      waits,
    ),
  };
}

/** What a hover shows of a host that waits, in Markdown. */
export function joinTooltip(join: Join, nowMs: number): string {
  return joinFacts(join, nowMs).map(escapeMarkdown).join("  \n");
}

/** Everything that is known about a host that waits, a fact a line. */
export function joinFacts(join: Join, nowMs: number): readonly string[] {
  const former = join.known_credential_id ?? "";
  const facts: readonly (readonly [string, string])[] = [
    [joinName(join), t("Name: {0}", joinName(join))],
    [join.hostname, t("Host name: {0}", join.hostname)],
    [join.os_full_name, t("System: {0}", join.os_full_name)],
    [join.address, t("Connects from: {0}", join.address)],
    [join.client_id, t("Client ID: {0}", join.client_id)],
    [join.credential_id, t("Credential: {0}", join.credential_id)],
    [former, t("Credential before: {0}", former)],
    [join.expires_at, t("Given up: {0}", until(join.expires_at, nowMs))],
  ];
  return [
    ...[doubtSentence(join), ...doubtAdvice(join), ...doubtKeys(join)].filter(
      (line) => line !== "",
    ),
    ...facts.filter(([value]) => value !== "").map(([, line]) => line),
  ];
}
