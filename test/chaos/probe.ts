import { isMainThread } from "node:worker_threads";
import { serve } from "../bench/childPort.ts";
import { probeHandlers } from "../bench/probeHandlers.ts";

// Loaded before the server with `--import`: the server itself runs unchanged, on a machine whose
// clock somebody sets.

let offsetMs = 0;
const now = Date.now.bind(Date);

Date.now = () => now() + offsetMs;

const handlers = {
  usage: probeHandlers.usage,
  settledUsage: probeHandlers.settledUsage,
  /** From now on the machine's clock is off by so many milliseconds. */
  setClock(ms: number): void {
    offsetMs = ms;
  },
};

/** What the server's process can be asked. */
export type ChaosProbe = typeof handlers;

// Also the store's worker loads it, and has no parent to answer.
if (isMainThread) {
  serve(handlers);
  process.channel?.unref();
}
