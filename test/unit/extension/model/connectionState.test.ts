import { describe, expect, it } from "vitest";
import {
  type ConnectionEvent,
  type ConnectionState,
  nextState,
  retryDelayMs,
} from "../../../../extension/src/model/connectionState.ts";

const lost: ConnectionEvent = { kind: "lost", reason: "gone", random: 1 };
const run = (...events: ConnectionEvent[]): ConnectionState =>
  events.reduce(nextState, { kind: "stopped" });

describe("the state of a connection", () => {
  it("waits longer after each failed attempt, and starts over once it was open", () => {
    const delays: number[] = [];
    let state = run({ kind: "wanted" });
    for (let attempt = 0; attempt < 9; attempt += 1) {
      state = nextState(state, lost);
      if (state.kind === "waiting") delays.push(state.delayMs);
      state = nextState(state, { kind: "retryDue" });
    }
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    state = nextState(nextState(state, { kind: "opened" }), lost);
    expect(state).toMatchObject({ kind: "waiting", attempt: 1, delayMs: 500 });
  });

  it("spreads retries over the upper half of the wait", () => {
    expect(retryDelayMs(2, 0)).toBe(1000);
    expect(retryDelayMs(2, 0.5)).toBe(1500);
    expect(retryDelayMs(60, 1)).toBe(30_000);
  });

  it("waits for a person when there is no token, a refused one, or another key", () => {
    const stuck: readonly [ConnectionEvent, ConnectionState][] = [
      [{ kind: "noToken" }, { kind: "signedOut", refusal: undefined }],
      [
        { kind: "refused", reason: "It ended." },
        { kind: "signedOut", refusal: "It ended." },
      ],
      [
        { kind: "mismatched", expected: "a", actual: "b" },
        { kind: "changed", expected: "a", actual: "b" },
      ],
    ];
    for (const [event, expected] of stuck) {
      const state = run({ kind: "wanted" }, event);
      expect(state).toEqual(expected);
      expect(nextState(state, { kind: "retryDue" })).toBe(state);
      expect(nextState(state, lost)).toBe(state);
      expect(nextState(state, { kind: "wanted" })).toEqual({ kind: "connecting", attempt: 0 });
    }
  });

  it("ignores what comes in after it was stopped", () => {
    const state = run({ kind: "wanted" }, { kind: "unwanted" });
    const late: ConnectionEvent[] = [lost, { kind: "opened" }, { kind: "refused", reason: "" }];
    for (const event of late) expect(nextState(state, event)).toBe(state);
  });
});
