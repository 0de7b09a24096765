import type { Join } from "@rport/protocol/join";
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
  const label = `${joinName(join)} waits to join`;
  const waits = `given up ${until(join.expires_at, nowMs)}`;
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
      `from ${join.address}`,
      `credential ${join.credential_id}`,
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
  return [
    doubtSentence(join),
    ...doubtAdvice(join),
    ...doubtKeys(join),
    `Name: ${joinName(join)}`,
    `Host name: ${join.hostname}`,
    `System: ${join.os_full_name}`,
    `Connects from: ${join.address}`,
    `Client ID: ${join.client_id}`,
    `Credential: ${join.credential_id}`,
    `Credential before: ${join.known_credential_id ?? ""}`,
    `Given up: ${until(join.expires_at, nowMs)}`,
  ].filter((line) => line !== "" && !line.endsWith(": "));
}
