import type { SheetState } from "@rport/protocol/sheet";
import { moment } from "./moment.ts";
import type { Words } from "./words.ts";

/**
 * Time left on the server's clock (`clockSkewMs` ahead of ours), in milliseconds, never below zero.
 */
export function timeLeftMs(expiresAt: string, clockSkewMs: number, nowMs: number): number {
  return Math.max(0, Date.parse(expiresAt) - (nowMs + clockSkewMs));
}

/** When a line that still counts down ends; undefined when it does not count down. */
export function expiryOf({ line }: SheetState): string | undefined {
  return line.kind === "open" ? line.expiresAt : undefined;
}

/** Seconds are counted from here on. */
const COUNTED_S = 90;

/** The nearest minute, such as `9 min`, and `42 s` towards the end. */
export function describeTimeLeft(ms: number, words: Words): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds > COUNTED_S
    ? words("minutes", String(Math.round(seconds / 60)))
    : words("seconds", String(seconds));
}

/** How long the line works and for whom, or who used it; empty: there is nothing to say. */
export function describeLine(state: SheetState, words: Words, nowMs: number): string {
  const { hosts, uses, service, clockSkewMs } = state;
  const expiresAt = expiryOf(state);
  const [first] = hosts;
  if (state.line.kind === "used" && uses === 1 && first !== undefined) {
    return words("usedBy", first.name, moment(first.steps[0]?.at ?? first.at, words, nowMs));
  }
  if (expiresAt === undefined) return "";
  const left = describeTimeLeft(timeLeftMs(expiresAt, clockSkewMs, nowMs), words);
  const until = moment(expiresAt, words, nowMs);
  if (service.kind === "rport-pairing") return words("worksForAll", until, left);
  if (uses > 1) return words("worksOften", until, left, String(uses - hosts.length), String(uses));
  return words("worksOnce", until, left);
}
