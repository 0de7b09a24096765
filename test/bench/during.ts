import type { BenchBackend } from "./backend.ts";
import { pause } from "./harness.ts";
import { Echo } from "./load.ts";

/** Between two round trips: what an agent's tunnel is used like, not a load of its own. */
const BETWEEN_MS = 5;
const MEMORY_LOOK_MS = 250;

/** Times of round trips through a port, one after the other, until something has ended. */
export async function roundTrips(port: number, until: Promise<unknown>): Promise<number[]> {
  const isOver = endOf(until);
  const times: number[] = [];
  const echo = new Echo(port);
  await echo.roundTrip();
  while (!isOver()) {
    await pause(BETWEEN_MS);
    const startMs = performance.now();
    await echo.roundTrip();
    times.push(performance.now() - startMs);
  }
  await echo.end();
  return times;
}

/** The most resident bytes of a backend until something has ended. */
export async function peakMemory(backend: BenchBackend, until: Promise<unknown>): Promise<number> {
  const isOver = endOf(until);
  let peak = 0;
  while (!isOver()) {
    peak = Math.max(peak, (await backend.usage()).residentBytes);
    await pause(MEMORY_LOOK_MS);
  }
  return peak;
}

function endOf(until: Promise<unknown>): () => boolean {
  let isOver = false;
  void until.finally(() => {
    isOver = true;
  });
  return () => isOver;
}
