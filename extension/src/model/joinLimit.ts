import { type Credential, USUAL_JOINS } from "@rport/protocol/model";
import { t } from "@vscode/l10n";

function rate(atOnce: number, perMinute: number): string {
  return t("{0} at once, then {1} a minute", atOnce, perMinute);
}

/** What counts for a credential of which nobody has set how many new clients may join. */
export const USUAL_RATE = rate(USUAL_JOINS.atOnce, USUAL_JOINS.perMinute);

/** How many new clients a credential lets in that sets this number. */
export function ownRate(joins: number): string {
  return rate(joins, joins);
}

/** How many new clients a credential lets in now. */
export function joinRate({
  limits,
  flooded_at: floodedAt,
}: Pick<Credential, "limits" | "flooded_at">): string {
  if (limits.approval) return t("does not count while new clients wait for approval");
  if (limits.joins_per_minute !== null) return ownRate(limits.joins_per_minute);
  return floodedAt === null
    ? USUAL_RATE
    : t("{0} a minute while flooded", USUAL_JOINS.perMinuteFlooded);
}

/** Asks how many new clients may join. */
export const JOIN_RATE_PROMPT = t(
  "Clients that were never seen: so many at once, and then a minute. Nothing: {0}, or {1} while flooded",
  USUAL_RATE,
  USUAL_JOINS.perMinuteFlooded,
);
