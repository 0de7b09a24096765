import { describe, expect, it } from "vitest";
import { timeOrDay } from "../../../../extension/src/model/relativeTime.ts";
import type { Row } from "../../../../extension/src/model/rows/row.ts";
import {
  trafficSentences,
  tunnelTooltip,
} from "../../../../extension/src/model/rows/tunnelTooltip.ts";
import {
  sizeText,
  type Throughput,
  type Traffic,
  throughput,
} from "../../../../extension/src/model/tunnels/traffic.ts";

const NOW = Date.UTC(2030, 0, 1, 12);
const MINUTE_MS = 60_000;
const SINCE = timeOrDay(NOW - 90 * MINUTE_MS, NOW);

function traffic(parts: Partial<Traffic> = {}): Traffic {
  const sinceMs = NOW - 90 * MINUTE_MS;
  return { sinceMs, connections: 0, connectionsTotal: 0, received: 0, sent: 0, ...parts };
}

describe("an amount of bytes", () => {
  it.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1_000, "1 KB"],
    [12_345, "12.3 KB"],
    [999_499, "999 KB"],
    [999_500, "1 MB"],
    [1_234_567, "1.23 MB"],
    [2 ** 31, "2.15 GB"],
    [7.4e12, "7.4 TB"],
    [0.4, "0 bytes"],
  ])("is told with three digits at the most: %d", (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });
});

describe("what goes through a tunnel", () => {
  it("is what the second of two looks has more than the first, per second", () => {
    const first = { traffic: traffic({ received: 1_000, sent: 50 }), atMs: NOW };
    const second = { traffic: traffic({ received: 4_000, sent: 50 }), atMs: NOW + 1_500 };
    expect(throughput(first, second)).toEqual({ received: 2_000, sent: 0 });
    expect(throughput(first, first)).toBeUndefined();
    const anew = { ...second, traffic: traffic({ sinceMs: NOW + 1_000 }) };
    expect(throughput(first, anew)).toBeUndefined();
  });

  it.each<{
    readonly what: string;
    readonly given: Traffic;
    readonly now?: Throughput;
    readonly sentences: readonly string[];
  }>([
    {
      what: "not used",
      given: traffic(),
      sentences: [`Nobody has used it yet. It is open since ${SINCE}.`],
    },
    {
      what: "used in vain",
      given: traffic({ connectionsTotal: 1, usedAtMs: NOW - 30_000 }),
      sentences: [
        `Nothing has come or gone through it yet, since ${SINCE}.`,
        "1 connection since then, 0 of them open.",
        "Last used: just now.",
      ],
    },
    {
      what: "used a while ago",
      given: traffic({
        connectionsTotal: 12,
        usedAtMs: NOW - 8 * MINUTE_MS,
        received: 5_250_000,
        sent: 1,
      }),
      sentences: [
        `Since ${SINCE}: 5.25 MB received, 1 byte sent.`,
        "12 connections since then, 0 of them open.",
        "Last used: 8 min ago.",
      ],
    },
    {
      what: "in use",
      given: traffic({ connections: 2, connectionsTotal: 3, received: 80_000, sent: 900 }),
      now: { received: 40_000, sent: 120 },
      sentences: [
        "Now: 40 KB/s received, 120 bytes/s sent.",
        `Since ${SINCE}: 80 KB received, 900 bytes sent.`,
        "3 connections since then, 2 of them open.",
      ],
    },
    {
      what: "open and still",
      given: traffic({ connections: 1, connectionsTotal: 1, received: 8, sent: 9 }),
      now: { received: 0, sent: 0 },
      sentences: [
        "At this moment nothing goes through it.",
        `Since ${SINCE}: 8 bytes received, 9 bytes sent.`,
        "1 connection since then, 1 of them open.",
      ],
    },
  ])("is told in sentences: $what", ({ given, now, sentences }) => {
    expect(trafficSentences(given, now, NOW)).toEqual(sentences);
  });
});

describe("the tooltip of a tunnel", () => {
  const row: Row = {
    label: "127.0.0.1:15432",
    description: "",
    icon: undefined,
    context: "",
    children: "none",
    spoken: "127.0.0.1:15432, leads to [db](command:x):5432, idle",
  };

  it("C-07: has what the row says, and no markup of the host", () => {
    const text = tunnelTooltip({ row, traffic: traffic(), now: undefined, nowMs: NOW });
    const [label, leads, used] = text.split("  \n");
    expect(label).toBe(String.raw`**127\.0\.0\.1\:15432**`);
    expect(leads).toBe(String.raw`leads to \[db\]\(command\:x\)\:5432, idle`);
    expect(used).toContain("Nobody has used it yet");
  });

  it("is without traffic where nobody can tell", () => {
    const text = tunnelTooltip({ row, traffic: undefined, now: undefined, nowMs: NOW });
    expect(text.split("  \n")).toHaveLength(2);
  });
});
