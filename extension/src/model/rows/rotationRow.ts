import type { Client, Credential } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { displayName, statusOf, statusWord } from "../arrange.ts";
import { until } from "../relativeTime.ts";
import { type ClientFacts, clientContext } from "./clientRow.ts";
import { contextValue } from "./contextValue.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** With no more clients than these, where each stands is shown at once. */
const EXPANDED_MAX = 20;

/** The progress of a rotation; undefined when there is none. */
export function rotationRow({ rotation }: Credential, nowMs: number): Row | undefined {
  if (rotation === null) return undefined;
  const { moved, total, stragglers, grace_ends_at: end } = rotation;
  const isReady = moved >= total;
  const label = t("New secret: {0} of {1} moved", moved, total);
  const ends =
    end === null
      ? t("old secret ends when all have moved")
      : t("old secret ends {0}", until(end, nowMs));
  const behind = stragglers === 0 ? "" : t("{0} must be installed again", stragglers);
  return {
    label,
    description: joinDots(ends, behind),
    icon: iconOf(isReady, stragglers),
    context: contextValue("rotation", { open: !isReady, ready: isReady }),
    children: total <= EXPANDED_MAX ? "expanded" : "collapsed",
    spoken: joinSpoken(label, ends, behind),
  };
}

function iconOf(isReady: boolean, stragglers: number): RowIcon {
  if (isReady) return { name: "check-all" };
  return stragglers > 0
    ? { name: "warning", color: "list.warningForeground" }
    : { name: "loading~spin" };
}

/** How far a rotation is, in a few words for the credential's row. */
export function rotationProgress(
  { moved, total, grace_ends_at: end }: NonNullable<Credential["rotation"]>,
  nowMs: number,
): string {
  if (moved < total) return t("rotating, {0} of {1} moved", moved, total);
  return end === null ? t("all moved") : t("all moved, old secret ends {0}", until(end, nowMs));
}

/** How far a client is in a rotation, in words; `reason` is the server's own, empty if unknown. */
export function rotationStateText(
  client: Pick<Client, "rotation_state" | "connection_state">,
  reason: string,
): string {
  switch (client.rotation_state) {
    case null:
      return t("moved");
    case "pending":
      return statusOf(client) === "online"
        ? joinDots(t("waiting for its new secret"), reason)
        : joinDots(t("waits until it is back"), reason);
    case "offered":
      return t("new secret sent");
    case "stored":
      return t("new secret stored");
    case "straggler":
      return joinDots(t("install it again"), reason);
  }
}

const STATE_ICONS: Readonly<Record<NonNullable<Client["rotation_state"]>, RowIcon>> = {
  pending: { name: "watch" },
  offered: { name: "arrow-right" },
  stored: { name: "save" },
  straggler: { name: "warning", color: "list.warningForeground" },
};

/** The row of a client below the rotation that it has not followed yet. */
export function rotationClientRow(facts: ClientFacts, reason: string): Row {
  const { client } = facts;
  const state = rotationStateText(client, reason);
  const name = displayName(client);
  return {
    label: name,
    description: state,
    icon:
      client.rotation_state === null
        ? { name: "pass", color: "charts.green" }
        : STATE_ICONS[client.rotation_state],
    context: clientContext(facts),
    children: "none",
    spoken: joinSpoken(name, statusWord(statusOf(client)), state),
  };
}

/** Tells one rotation of a credential from the next. */
export function rotationOf({ rotation, rotated_at: at }: Credential): string {
  return rotation?.started_at ?? at ?? "";
}
