import { monitorEventLoopDelay } from "node:perf_hooks";

/** What a process uses: bytes, and milliseconds of processor time of all its threads. */
export interface Usage {
  readonly heapBytes: number;
  /** Buffers and other memory that belongs to JavaScript objects. */
  readonly externalBytes: number;
  readonly residentBytes: number;
  readonly cpuMs: number;
}

function usage(): Usage {
  const { heapUsed, external, rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    residentBytes: rss,
    cpuMs: (user + system) / 1_000,
  };
}

/** After everything that nobody refers to has been removed; needs `--expose-gc`. */
async function settledUsage(): Promise<Usage> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return usage();
}

const delay = monitorEventLoopDelay({ resolution: 5 });

/** The longest stop of the event loop since this was asked last, in milliseconds; 0 at first. */
function stall(): number {
  const longestMs = delay.max / 1e6;
  const isFirst = delay.enable();
  delay.reset();
  return isFirst ? 0 : longestMs;
}

/** Answers of a process about itself. */
export const probeHandlers = { usage, settledUsage, stall };

/** What a process with a probe can be asked. */
export type ProbeHandlers = typeof probeHandlers;
