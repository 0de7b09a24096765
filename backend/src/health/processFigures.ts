import { readdir } from "node:fs/promises";
import { VERSION } from "@rport/protocol/version";
import { byLabel, type Figure, type Sample, single } from "./figure.ts";
import type { LoopDelay } from "./loopDelay.ts";
import { PARTS, type Readiness } from "./readiness.ts";

/** Where the figures about the process and what it stands on come from. */
export interface ProcessSources {
  readonly readiness: Pick<Readiness, "report">;
  readonly loopDelay: Pick<LoopDelay, "take">;
  /** How many files and sockets the process may have open; undefined: any number. */
  readonly descriptors: number | undefined;
}

/** Figures about the process, the disk and the event loop. */
export function processFigures(sources: ProcessSources): readonly Figure[] {
  return [...partFigures(sources), ...loopFigures(sources), ...resourceFigures(sources)];
}

function partFigures({ readiness }: ProcessSources): readonly Figure[] {
  return [
    {
      kind: "gauge",
      name: "ready",
      help: "Whether a part works that signing in or changing something needs; see /readyz.",
      labels: ["part"],
      async read() {
        const { parts } = await readiness.report();
        return PARTS.map((part) => ({ labels: { part }, value: parts[part] === "ok" ? 1 : 0 }));
      },
    },
    {
      kind: "gauge",
      name: "part_seconds",
      help: "What a part took when it was tried last: a synced write, a query, an audit entry.",
      labels: ["part"],
      async read() {
        const { seconds } = await readiness.report();
        return PARTS.map((part) => ({ labels: { part }, value: seconds[part] }));
      },
    },
  ];
}

function loopFigures({ loopDelay }: ProcessSources): readonly Figure[] {
  return [
    byLabel("quantile", {
      kind: "gauge",
      name: "event_loop_delay_seconds",
      help: "How late the event loop was since the figures were read last; 1 is the worst.",
      read() {
        const { median, p99, max } = loopDelay.take();
        return [
          ["0.5", median],
          ["0.99", p99],
          ["1", max],
        ];
      },
    }),
  ];
}

function resourceFigures({ descriptors }: ProcessSources): readonly Figure[] {
  return [
    byLabel("version", {
      kind: "gauge",
      name: "build_info",
      help: "The version that runs; always 1.",
      read: () => [[VERSION, 1]],
    }),
    single("gauge", "uptime_seconds", {
      help: "How long the process has been running.",
      read: () => process.uptime(),
    }),
    byLabel("kind", {
      kind: "gauge",
      name: "memory_bytes",
      help: "Memory of the process: resident, heap in use, and outside of the heap.",
      read() {
        const { rss, heapUsed, external } = process.memoryUsage();
        return Object.entries({ resident: rss, heap: heapUsed, external });
      },
    }),
    single("counter", "cpu_seconds_total", {
      help: "Processor time of the process.",
      read() {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      },
    }),
    { kind: "gauge", name: "descriptors", help: "Files and sockets open.", read: openDescriptors },
    {
      kind: "gauge",
      name: "descriptors_max",
      help: "How many files and sockets the process may have open.",
      read: () => (descriptors === undefined ? [] : [{ value: descriptors }]),
    },
  ];
}

/** Nothing where the system does not tell. */
async function openDescriptors(): Promise<readonly Sample[]> {
  try {
    return [{ value: (await readdir("/proc/self/fd")).length }];
  } catch {
    return [];
  }
}
