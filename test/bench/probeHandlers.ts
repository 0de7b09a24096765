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

/** Answers of a process about itself. */
export const probeHandlers = { usage, settledUsage };

/** What a process with a probe can be asked. */
export type ProbeHandlers = typeof probeHandlers;
