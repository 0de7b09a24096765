import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retryDelayMs } from "../../../../agent/src/connection/backoff.ts";
import {
  type ConnectionEvent,
  type ConnectionState,
  INITIAL_STATE,
  reduceConnection,
} from "../../../../agent/src/connection/connectionState.ts";

const LOST = { kind: "lost", text: "gone" } as const;
const REFUSED = { kind: "login", text: "refused" } as const;

const failed = (
  nowMs: number,
  random = 1,
  reason: { kind: "lost" | "login"; text: string } = LOST,
): ConnectionEvent => ({ kind: "failed", reason, nowMs, random });
const registered = (nowMs: number): ConnectionEvent => ({
  kind: "registered",
  server: "ws://h:80/",
  nowMs,
});
const run = (...events: ConnectionEvent[]): ConnectionState =>
  events.reduce(reduceConnection, INITIAL_STATE);
const delayOf = (state: ConnectionState) => (state.kind === "waiting" ? state.delayMs : undefined);

describe("the agent's connection", () => {
  it("dials, is online, waits after a loss, and dials again", () => {
    const online = run(registered(100));
    expect(online).toEqual({ kind: "online", server: "ws://h:80/", sinceMs: 100 });
    const waiting = reduceConnection(online, failed(60_000));
    expect(waiting).toMatchObject({ kind: "waiting", reason: LOST, delayMs: 1_000 });
    expect(reduceConnection(waiting, { kind: "due" }).kind).toBe("dialling");
  });

  it("forgets an outage after a stable connection only", () => {
    const troubled = run(failed(0), { kind: "due" }, failed(1_000), { kind: "due" });
    const flapping = [registered(2_000), failed(3_000)].reduce(reduceConnection, troubled);
    expect(delayOf(flapping)).toBe(4_000);
    const stable = [registered(2_000), failed(13_000)].reduce(reduceConnection, troubled);
    expect(delayOf(stable)).toBe(1_000);
  });

  it("is in no hurry after a refused login, and forgets that when something else goes wrong", () => {
    const once = run(failed(0, 0, REFUSED));
    expect(delayOf(once)).toBe(5_000);
    const often = Array.from({ length: 10 }, () => failed(0, 1, REFUSED)).flatMap((event) => [
      event,
      { kind: "due" } as const,
    ]);
    expect(delayOf(run(...often.slice(0, -1)))).toBe(120_000);
    expect(delayOf(run(...often, failed(0, 0)))).toBe(500);
  });

  it("dials at once when somebody is in a hurry, whatever was", () => {
    expect(run(failed(0), { kind: "hurry" })).toEqual({ kind: "dialling" });
    expect(run(registered(0), { kind: "hurry" })).toEqual({ kind: "dialling" });
  });

  it("stays stopped", () => {
    expect(run({ kind: "stop" }, registered(0), { kind: "hurry" })).toEqual({ kind: "stopped" });
  });

  it("is back within 4 s from an outage of less than a minute, and within 60 s from any", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (failures, agoMs, random) => {
          const delay = retryDelayMs({ startedMs: 0, failures, refusals: 0 }, agoMs, random);
          expect(delay).toBeGreaterThanOrEqual(500);
          expect(delay).toBeLessThanOrEqual(agoMs < 60_000 ? 4_000 : 60_000);
        },
      ),
    );
  });

  it("spreads agents that lost their server at the same moment", () => {
    const outage = { startedMs: 0, failures: 4, refusals: 0 };
    const delays = Array.from({ length: 100 }, (_none, n) => retryDelayMs(outage, 1, n / 100));
    expect(new Set(delays).size).toBe(100);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(3_000);
  });
});
