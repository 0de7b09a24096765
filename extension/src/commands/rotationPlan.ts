import type { EndpointOutput } from "@rport/protocol/http";
import { t } from "@vscode/l10n";
import type { QuickPickItem } from "vscode";
import { namedClients } from "../model/blast.ts";
import { dateAndTime } from "../model/relativeTime.ts";
import { plural } from "../support/plural.ts";

const HOUR_S = 3_600;
/** Hours of a day. */
export const DAY_HOURS = 24;

/** How long the old secret stays valid, as it is offered. */
export interface Grace extends QuickPickItem {
  /** Undefined: until every client has moved. */
  readonly seconds: number | undefined;
}

/** What the server says that a rotation would do. */
export type Plan = EndpointOutput<"rotateCredential">;

/** How the clients of a credential would come through a rotation. */
export function standingsOf({ clients }: Plan) {
  const isMovable = ({ state }: Plan["clients"][number]) => state !== "straggler";
  return {
    moved: clients.filter((client) => client.connected && isMovable(client)),
    away: clients.filter((client) => !client.connected && isMovable(client)),
    stuck: clients.filter((client) => !isMovable(client)),
  };
}

/** A grace of so many hours. */
export function graceOf(hours: number): Grace {
  const isWholeDays = hours > DAY_HOURS && hours % DAY_HOURS === 0;
  const days = hours / DAY_HOURS;
  const label = isWholeDays
    ? plural(days, t("{0} day", days), t("{0} days", days))
    : plural(hours, t("{0} hour", hours), t("{0} hours", hours));
  return { label, seconds: hours * HOUR_S };
}

/** Whether every client keeps its way in, and nothing that is open ends. */
export function isWithoutLoss(plan: Plan, { seconds }: Grace): boolean {
  const { away, stuck } = standingsOf(plan);
  const isAtOnce = seconds === 0 && plan.pairings > 0;
  return away.length + stuck.length === 0 && !isAtOnce;
}

/** When a rotation is looked at. */
interface Circumstances {
  readonly isUnderWay: boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Until when the secret that is replaced lets somebody in. */
function oldSecretLine(seconds: number | undefined, nowMs: number): string {
  if (seconds === undefined) return t("The old secret works until every client has moved.");
  if (seconds === 0) return t("The old secret ends as soon as the connected clients have moved.");
  return t("The old secret works until {0}.", dateAndTime(nowMs + seconds * 1_000));
}

/** What a rotation would do to whom, a line each; some may be empty. */
export function rotationLines(
  plan: Plan,
  { label, seconds }: Grace,
  { isUnderWay, nowMs }: Circumstances,
): readonly string[] {
  const { moved, away, stuck } = standingsOf(plan);
  return [
    plan.clients.length === 0 ? "" : oldSecretLine(seconds, nowMs),
    moved.length === 0
      ? ""
      : t(
          "Given a new secret over their live connection, without a break: {0}.",
          namedClients(moved),
        ),
    away.length === 0
      ? ""
      : t("Offline: {0}. {1}", namedClients(away), awayText(away.length, seconds, label)),
    stuck.length === 0
      ? ""
      : t(
          "Cannot be moved by the server: {0}. {1}",
          namedClients(stuck),
          stuckText(stuck.length, seconds, label),
        ),
    seconds !== 0 || plan.pairings === 0
      ? ""
      : plural(
          plan.pairings,
          t("{0} open pairing will be revoked.", plan.pairings),
          t("{0} open pairings will be revoked.", plan.pairings),
        ),
    plan.clients.length === 0 ? t("No client uses it yet.") : "",
    isUnderWay ? t("The rotation that is under way begins anew.") : "",
  ];
}

/** What becomes of `n` clients that are offline. */
function awayText(n: number, seconds: number | undefined, grace: string): string {
  if (seconds === undefined) {
    return plural(n, t("Moved when it is back."), t("Moved when they are back."));
  }
  return seconds === 0
    ? plural(
        n,
        t("It cannot come back: it must be installed again."),
        t("They cannot come back: they must be installed again."),
      )
    : plural(
        n,
        t("Moved if it is back within {0}; later it must be installed again.", grace),
        t("Moved if they are back within {0}; later they must be installed again.", grace),
      );
}

/** What becomes of `n` clients that no server can hand a secret to. */
function stuckText(n: number, seconds: number | undefined, grace: string): string {
  if (seconds === undefined) {
    return plural(
      n,
      t("The rotation waits until it is installed again."),
      t("The rotation waits until they are installed again."),
    );
  }
  return seconds === 0
    ? plural(
        n,
        t("It is cut off as soon as the others have moved, and must be installed again."),
        t("They are cut off as soon as the others have moved, and must be installed again."),
      )
    : plural(
        n,
        t("Install it again within {0}, or it is cut off.", grace),
        t("Install them again within {0}, or they are cut off.", grace),
      );
}
