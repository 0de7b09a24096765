import type { Check, Row } from "./report.ts";

/** How thorough a run is. */
export interface BenchOptions {
  /** Shorter and rougher, to see that it works. */
  readonly isQuick: boolean;
  /** Also what takes minutes. */
  readonly isLong: boolean;
}

/** A row; `against` and `checks` only where there are some. */
export type NewRow = Pick<Row, "what" | "figure"> & Partial<Pick<Row, "against" | "checks">>;

/** What a bench tells the run it belongs to. */
export type BenchMessage = { readonly row: Row } | { readonly note: string };

/** What a bench works with. */
export interface Bench {
  readonly options: BenchOptions;
  /** Closes what was put into it when the bench ends, whatever its end. */
  readonly scope: AsyncDisposableStack;
  row(row: NewRow): void;
  note(sentence: string): void;
}

/**
 * Runs a bench as the main program of its process: rows go to the parent, and everything in its
 * scope is closed at the end, also when it fails or is stopped.
 */
export async function runBench(body: (bench: Bench) => Promise<void>): Promise<void> {
  const scope = new AsyncDisposableStack();
  const stop = () => void scope.disposeAsync().finally(() => process.exit(1));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  process.once("disconnect", stop);
  try {
    await body(createBench(scope));
  } catch (error) {
    console.error(error instanceof Error ? error.stack : error);
    process.exitCode = 1;
  } finally {
    await scope.disposeAsync();
    process.off("disconnect", stop);
    if (process.connected) process.disconnect();
  }
}

function createBench(scope: AsyncDisposableStack): Bench {
  const has = (flag: string) => process.argv.includes(flag);
  const tell = (message: BenchMessage) => {
    if (process.send === undefined) console.log(JSON.stringify(message));
    else process.send(message);
  };
  return {
    options: { isQuick: has("--quick"), isLong: has("--long") },
    scope,
    row: (row) => tell({ row: { against: "", checks: [] as readonly Check[], ...row } }),
    note: (note) => tell({ note }),
  };
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which this share of the values is, interpolated. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** Resolves after a while. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
