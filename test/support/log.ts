import type { Log } from "../../backend/src/platform/log.ts";
import { createLog, memorySink } from "../../backend/src/platform/log.ts";
import { FakeClock } from "./clock.ts";

/** A log that keeps its lines, debug and above. */
export function testLog(): { readonly log: Log; readonly lines: readonly string[] } {
  const { sink, lines } = memorySink();
  return { log: createLog({ clock: new FakeClock(), sink, level: "debug" }), lines };
}
