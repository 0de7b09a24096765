import type { Join } from "@rport/protocol/model";
import { escapeMarkdown } from "../../support/text.ts";
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
    description: joinDots(join.address, join.credential_id),
    icon: { name: "person-add", color: "list.warningForeground" },
    context: contextValue("join"),
    children: "none",
    spoken: joinSpoken(label, `from ${join.address}`, `credential ${join.credential_id}`, waits),
  };
}

/** What a hover shows of a host that waits, in Markdown. */
export function joinTooltip(join: Join, nowMs: number): string {
  return joinFacts(join, nowMs).map(escapeMarkdown).join("  \n");
}

/** Everything that is known about a host that waits, a fact a line. */
export function joinFacts(join: Join, nowMs: number): readonly string[] {
  return [
    `Name: ${joinName(join)}`,
    `Host name: ${join.hostname}`,
    `System: ${join.os_full_name}`,
    `Connects from: ${join.address}`,
    `Client ID: ${join.client_id}`,
    `Credential: ${join.credential_id}`,
    `Given up: ${until(join.expires_at, nowMs)}`,
  ].filter((line) => !line.endsWith(": "));
}
