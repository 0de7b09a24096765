import { type Clock, sleep } from "../platform/clock.ts";
import { readState, STATE_INTERVAL_MS, type StateFile } from "./stateFile.ts";

/** How often the file is looked at. */
const POLL_MS = 200;
/** An agent writes every minute; an older file is from one that is gone, or hangs. */
const STALE_MS = 2.5 * STATE_INTERVAL_MS;

/** How waiting ended. */
export type WaitResult =
  | { readonly kind: "online" }
  | { readonly kind: "late"; readonly message: string };

/** What waiting needs. */
export interface WaitOptions {
  readonly stateFile: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Whether a process runs. */
  isAlive(pid: number): boolean;
}

/** Waits until a running agent says that it is connected, or until the time is over. */
export async function waitOnline(options: WaitOptions): Promise<WaitResult> {
  const { clock, stateFile, timeoutMs } = options;
  const endMs = clock.monotonic() + timeoutMs;
  for (;;) {
    const state = await readState(stateFile);
    const trouble = whyNotOnline(state, options);
    if (trouble === undefined) return { kind: "online" };
    const leftMs = endMs - clock.monotonic();
    if (leftMs <= 0) return { kind: "late", message: trouble };
    await sleep(clock, Math.min(POLL_MS, leftMs));
  }
}

/** Whether a process runs here, also one of another user. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function whyNotOnline(state: StateFile | undefined, options: WaitOptions): string | undefined {
  if (state === undefined) return "The agent has not started yet.";
  if (!options.isAlive(state.pid)) return "The agent is not running.";
  const ageMs = options.clock.now() - state.last_update_ts * 1_000;
  if (ageMs > STALE_MS) return "The agent has not reported for minutes.";
  return state.last_state === "connected" ? undefined : state.last_message || state.last_state;
}
