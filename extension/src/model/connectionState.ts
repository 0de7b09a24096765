import { t } from "@vscode/l10n";

/** First wait after a lost connection; it doubles up to the longest. */
const FIRST_RETRY_MS = 500;
/** Longest wait between two attempts: people see a server that came back within half a minute. */
const LONGEST_RETRY_MS = 30_000;
/** Doubling stops here, before the numbers get out of hand. */
const LAST_DOUBLING = 10;

/** Where the connection to one server stands. */
export type ConnectionState =
  | { readonly kind: "stopped" }
  /** `reason`: why the attempt before failed, as a sentence. */
  | { readonly kind: "connecting"; readonly attempt: number; readonly reason?: string }
  | { readonly kind: "connected" }
  /** Unreachable for now; it is tried again by itself. */
  | {
      readonly kind: "waiting";
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
    }
  /**
   * Only a person can go on: there is no token, `why` it could not be read, or the server turned it down with
   * a reason.
   */
  | {
      readonly kind: "signedOut";
      readonly refusal: string | undefined;
      readonly why?: string | undefined;
    }
  /** Only a person can go on: the server has another key than the one that was accepted. */
  | { readonly kind: "changed"; readonly expected: string; readonly actual: string };

/** What can happen to a connection. */
export type ConnectionEvent =
  /** Somebody wants it, now: at the start, by hand, after signing in. */
  | { readonly kind: "wanted" }
  | { readonly kind: "retryDue" }
  /** The first snapshot is there, and the server is the one it should be. */
  | { readonly kind: "opened" }
  | {
      readonly kind: "lost";
      readonly reason: string;
      /** 0 to 1, spreads the retries of many editors. */
      readonly random: number;
      /** Longest wait until the next attempt, where it is another than usual. */
      readonly longestMs?: number | undefined;
    }
  /** `reason` is a sentence of the server's, or empty. */
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "noToken"; readonly why?: string | undefined }
  | { readonly kind: "mismatched"; readonly expected: string; readonly actual: string }
  | { readonly kind: "unwanted" };

/** What a person is told when a server turned a token down. */
export const REFUSED = t("The server does not accept this sign-in any more.");

/** How long to wait before the next attempt: doubling, with jitter over its upper half. */
export function retryDelayMs(
  attempt: number,
  random: number,
  longestMs = LONGEST_RETRY_MS,
): number {
  const doubled = FIRST_RETRY_MS * 2 ** Math.min(attempt, LAST_DOUBLING);
  return Math.round(Math.min(doubled, longestMs) * (0.5 + random / 2));
}

/** The state after an event. An event that does not fit the state changes nothing. */
export function nextState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  if (state.kind === "stopped" && event.kind !== "wanted") return state;
  switch (event.kind) {
    case "wanted":
      return { kind: "connecting", attempt: 0 };
    case "retryDue":
      return state.kind === "waiting" ? tryingAgain(state) : state;
    case "opened":
      return state.kind === "connecting" ? { kind: "connected" } : state;
    case "lost":
      return lost(state, event);
    case "refused":
      return { kind: "signedOut", refusal: event.reason };
    case "noToken":
      return { kind: "signedOut", refusal: undefined, why: event.why };
    case "mismatched":
      return { kind: "changed", expected: event.expected, actual: event.actual };
    case "unwanted":
      return { kind: "stopped" };
  }
}

function tryingAgain({ attempt, reason }: Extract<ConnectionState, { kind: "waiting" }>) {
  return { kind: "connecting", attempt, reason } as const;
}

function lost(
  state: ConnectionState,
  { reason, random, longestMs }: Extract<ConnectionEvent, { kind: "lost" }>,
): ConnectionState {
  if (state.kind !== "connecting" && state.kind !== "connected") return state;
  const attempt = state.kind === "connecting" ? state.attempt : 0;
  return {
    kind: "waiting",
    attempt: attempt + 1,
    delayMs: retryDelayMs(attempt, random, longestMs),
    reason,
  };
}
