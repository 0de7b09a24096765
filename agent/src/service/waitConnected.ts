import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import type { Layout } from "../machine/layout.ts";
import type { Supervisor } from "../machine/supervisor.ts";
import type { Clock } from "../platform/clock.ts";
import { whyOffline } from "./installation.ts";

/** How often, while waiting, we look whether it still runs. */
const LOOK_MS = 1_000;
/** One answer may be wrong, and taking back an agent that has connected costs its host its key. */
const DOWN_LOOKS = 2;

/** What is waited for, and how long at the most. */
export interface ConnectedWait {
  readonly layout: Layout;
  readonly supervisor: Pick<Supervisor, "isRunning">;
  readonly clock: Clock;
  readonly limitMs: number;
  /** Fires when nobody wants it any more; then the call rejects with a `CliFailure`. */
  readonly signal: AbortSignal;
}

/**
 * Waits until an agent that was just started is connected; resolves with why it is not, or undefined. An
 * agent that has ended is not waited for.
 */
export async function whyNotConnected(wait: ConnectedWait): Promise<string | undefined> {
  const { layout, supervisor, clock, limitMs, signal } = wait;
  const endMs = clock.monotonic() + limitMs;
  let downs = 0;
  for (;;) {
    const trouble = await whyOffline(layout, clock, LOOK_MS);
    if (trouble === undefined) return undefined;
    if (signal.aborted) throw new CliFailure(EXIT.failed, "Interrupted.");
    // What cannot be asked says nothing.
    const isUp = await supervisor.isRunning().catch(() => true);
    downs = isUp ? 0 : downs + 1;
    if (clock.monotonic() >= endMs || downs >= DOWN_LOOKS) return trouble;
  }
}
