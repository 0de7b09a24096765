import { describe, expect, it } from "vitest";
import { Limits } from "../../../../../backend/src/limits/limits.ts";
import { NetworkLane } from "../../../../../backend/src/passwords/networkLane.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { testLog } from "../../../../support/log.ts";

/** A lane with one job under way, which ends when `next` is called; others end by themselves. */
function openLane(waiting: number) {
  const { log, lines } = testLog();
  const clock = new FakeClock();
  const values = { waiting_passwords: waiting, waiting_passwords_per_network: 64 };
  const limits = new Limits({ values, clock, log });
  const lane = new NetworkLane({
    limits,
    running: 1,
    waiting: "waiting_passwords",
    waitingOfOne: "waiting_passwords_per_network",
  });
  const begun: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = lane.run("198.18.0.1", () => gate.promise.then(() => true));
  const add = (name: string, address: string) => {
    const job = async (): Promise<true> => {
      begun.push(name);
      return true;
    };
    return lane.run(address, job);
  };
  const begin = async (all: readonly Promise<true | undefined>[]) => {
    gate.resolve();
    await first;
    return await Promise.all(all);
  };
  const bites = () => limits.states().find(({ name }) => name === "waiting_passwords")?.bites;
  return { add, begin, begun, bites, lines };
}

/** An address in one /48, each in a /64 of its own. */
const inOne48 = (n: number): string => `2001:db8:1:${n.toString(16)}::1`;

describe("passwords that wait", () => {
  it("of one /48 leave room for somebody else, however many networks it has, and the log says so", async () => {
    const { add, begin, begun, bites, lines } = openLane(16);
    const flood = Array.from({ length: 40 }, (_, n) => add("flood", inOne48(n)));
    const anna = add("anna", "192.0.2.1");
    const outcomes = await begin([...flood, anna]);
    expect(outcomes.at(-1)).toBe(true);
    expect(outcomes.filter((outcome) => outcome === true)).toHaveLength(16);
    expect(begun.indexOf("anna")).toBeLessThan(2);
    expect(bites()).toBe(25);
    expect(JSON.stringify(lines)).toContain("waiting_passwords");
  });

  it("of one /32 are no more than those of one customer elsewhere, turn by turn", async () => {
    const { add, begin, begun } = openLane(64);
    const flood = Array.from({ length: 30 }, (_, n) =>
      add("flood", `2001:db8:${n.toString(16)}::1`),
    );
    const others = ["2001:db9::1", "2001:db9::2", "192.0.2.1"].map((one) => add(one, one));
    await begin([...flood, ...others]);
    expect(begun.slice(0, 5)).toEqual([
      "flood",
      "2001:db9::1",
      "192.0.2.1",
      "flood",
      "2001:db9::2",
    ]);
  });

  it("turn away whoever would be one of those who have most", async () => {
    const { add, begin } = openLane(16);
    const even = Array.from({ length: 16 }, (_, n) => add("even", `10.${n}.0.1`));
    const late = add("late", "10.0.0.2");
    const outcomes = await begin([...even, late]);
    expect(outcomes).toEqual([...even.map(() => true), undefined]);
  });
});
