import { type Credential, USUAL_JOINS } from "@rport/protocol/model";

function rate(atOnce: number, perMinute: number): string {
  return `${atOnce} at once, then ${perMinute} a minute`;
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
  if (limits.approval) return "does not count while new clients wait for approval";
  if (limits.joins_per_minute !== null) return ownRate(limits.joins_per_minute);
  return floodedAt === null ? USUAL_RATE : `${USUAL_JOINS.perMinuteFlooded} a minute while flooded`;
}

/** Asks how many new clients may join. */
export const JOIN_RATE_PROMPT = `Clients that were never seen: so many at once, and then a minute. Nothing: ${USUAL_RATE}, or ${USUAL_JOINS.perMinuteFlooded} while flooded`;
