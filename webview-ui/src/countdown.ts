import type { SheetState } from "@rport/protocol/sheet";
import type { Words } from "./words.ts";

/**
 * Time left on the server's clock (`clockSkewMs` ahead of ours), in milliseconds, never below zero.
 */
export function timeLeftMs(expiresAt: string, clockSkewMs: number, nowMs: number): number {
  return Math.max(0, Date.parse(expiresAt) - (nowMs + clockSkewMs));
}

/** When a pairing that still counts down ends; undefined when it does not count down. */
export function expiryOf({ pairing }: SheetState): string | undefined {
  return pairing.kind === "waiting" || pairing.kind === "claimed" ? pairing.expiresAt : undefined;
}

/** `9 min` above a minute, `42 s` below. */
export function describeTimeLeft(ms: number, words: Words): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds > 60
    ? words("minutes", String(Math.ceil(seconds / 60)))
    : words("seconds", String(seconds));
}
