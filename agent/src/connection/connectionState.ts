import type { CloseReason } from "@rport/protocol/wire/wireError";
import { type Outage, retryDelayMs } from "./backoff.ts";

/**
 * A connection that lasted this long ends the outage. Shorter ones do not, or a server that accepts
 * and drops us would be asked twice a second for ever.
 */
const STABLE_MS = 10_000;

/** Where the agent's one connection is in its life. `outage` is absent when all was well. */
export type ConnectionState =
  | { readonly kind: "dialling"; readonly outage?: Outage }
  | {
      readonly kind: "online";
      readonly server: string;
      readonly sinceMs: number;
      readonly outage?: Outage;
    }
  | {
      readonly kind: "waiting";
      readonly delayMs: number;
      readonly reason: CloseReason;
      readonly outage: Outage;
    }
  | { readonly kind: "stopped" };

/** What can happen to it. Times are on the clock that never goes back. */
export type ConnectionEvent =
  /** The server accepted the registration. */
  | { readonly kind: "registered"; readonly server: string; readonly nowMs: number }
  /** An attempt failed, or the connection ended. */
  | {
      readonly kind: "failed";
      readonly reason: CloseReason;
      readonly nowMs: number;
      readonly random: number;
    }
  /** The wait is over. */
  | { readonly kind: "due" }
  /** Connect again at once, whatever was. */
  | { readonly kind: "hurry" }
  | { readonly kind: "stop" };

/** The state before the first attempt. */
export const INITIAL_STATE: ConnectionState = { kind: "dialling" };

/** The state after an event. Events that make no sense in a state leave it as it is. */
export function reduceConnection(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  if (state.kind === "stopped") return state;
  switch (event.kind) {
    case "registered": {
      const { server, nowMs } = event;
      return withOutage({ kind: "online", server, sinceMs: nowMs }, state.outage);
    }
    case "failed":
      return failed(state, event);
    case "due":
      return state.kind === "waiting" ? withOutage({ kind: "dialling" }, state.outage) : state;
    case "hurry":
      return { kind: "dialling" };
    case "stop":
      return { kind: "stopped" };
  }
}

type LiveState = Exclude<ConnectionState, { kind: "stopped" }>;

function failed(
  state: LiveState,
  event: Extract<ConnectionEvent, { kind: "failed" }>,
): ConnectionState {
  if (state.kind === "waiting") return state;
  const { reason, nowMs, random } = event;
  const wasStable = state.kind === "online" && nowMs - state.sinceMs >= STABLE_MS;
  const before = wasStable ? undefined : state.outage;
  const outage: Outage = {
    startedMs: before?.startedMs ?? nowMs,
    failures: (before?.failures ?? 0) + 1,
    refusals: isRefusal(reason) ? (before?.refusals ?? 0) + 1 : 0,
  };
  return { kind: "waiting", delayMs: retryDelayMs(outage, nowMs, random), reason, outage };
}

/** A wrong secret or a wrong server key does not go away by asking again soon. */
function isRefusal(reason: CloseReason): boolean {
  return reason.kind === "login" || reason.kind === "serverKey";
}

function withOutage<S extends { readonly kind: string }>(
  state: S,
  outage: Outage | undefined,
): S & { outage?: Outage } {
  return outage === undefined ? state : { ...state, outage };
}
