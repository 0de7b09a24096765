import { createLog, type Log, type Sink } from "../../backend/src/platform/log.ts";
import { FakeClock } from "./clock.ts";

/** A sink that keeps its lines. */
export function memorySink(): { readonly sink: Sink; readonly lines: string[] } {
  const lines: string[] = [];
  return { sink: (line) => lines.push(line), lines };
}

/** A log that keeps its lines, debug and above. */
export function testLog(): { readonly log: Log; readonly lines: readonly string[] } {
  const { sink, lines } = memorySink();
  return { log: createLog({ clock: new FakeClock(), sink, level: "debug" }), lines };
}
