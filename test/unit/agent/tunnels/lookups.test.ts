import { describe, expect, it } from "vitest";
import { Lookups } from "../../../../agent/src/tunnels/lookups.ts";
import { FakeClock } from "../../../support/clock.ts";

/** Lookups of names that the system answers when the test says so. */
function setUp() {
  const clock = new FakeClock();
  const asked = new Map<string, PromiseWithResolvers<readonly string[]>>();
  const warned: unknown[] = [];
  const lookups = new Lookups({
    clock,
    resolve: (name) => {
      const answer = Promise.withResolvers<readonly string[]>();
      asked.set(name, answer);
      return answer.promise;
    },
    log: { warn: (message, fields) => void warned.push([message, fields]) },
  });
  const reasons: string[] = [];
  const ask = (name: string, signal?: AbortSignal) => {
    const found = lookups.find(name, signal);
    found.catch((error) => reasons.push(String(error)));
    return found;
  };
  return { clock, asked, warned, lookups, reasons, ask };
}

const turn = () => new Promise(setImmediate);

describe("C-29: lookups of targets", () => {
  it("take one place, and the next name comes when the system has answered", async () => {
    const { asked, ask } = setUp();
    const first = ask("a.example");
    const second = ask("b.example");
    expect([...asked.keys()]).toEqual(["a.example"]);
    asked.get("a.example")?.resolve(["192.0.2.1"]);
    expect(await first).toEqual(["192.0.2.1"]);
    await turn();
    expect([...asked.keys()]).toEqual(["a.example", "b.example"]);
    asked.get("b.example")?.reject(new Error("no such name"));
    await expect(second).rejects.toThrow("no such name");
  });

  it("of one name are one, in whatever case it is written", async () => {
    const { asked, ask } = setUp();
    const all = [ask("a.example"), ask("A.Example"), ask("a.example")];
    asked.get("a.example")?.resolve(["192.0.2.1"]);
    expect(await Promise.all(all)).toEqual([["192.0.2.1"], ["192.0.2.1"], ["192.0.2.1"]]);
    expect(asked.size).toBe(1);
  });

  it("leave the queue when nobody waits any more, and keep a place that is taken", async () => {
    const { asked, ask, clock, reasons } = setUp();
    const gone = new AbortController();
    for (let n = 0; n < 100; n += 1) void ask(`n${n}.example`, gone.signal);
    const kept = ask("kept.example");
    gone.abort(new Error("the channel was closed"));
    await turn();
    expect(reasons).toHaveLength(100);
    expect([...asked.keys()]).toEqual(["n0.example"]);
    asked.get("n0.example")?.reject(new Error("late"));
    await turn();
    expect([...asked.keys()]).toEqual(["n0.example", "kept.example"]);
    asked.get("kept.example")?.resolve(["192.0.2.2"]);
    expect(await kept).toEqual(["192.0.2.2"]);
    expect(clock.timers).toBe(0);
  });

  it("are given up after ten seconds, which gives no place back", async () => {
    const { asked, ask, clock, reasons } = setUp();
    void ask("slow.example");
    void ask("behind.example");
    clock.advance(10_000);
    await turn();
    expect(reasons).toEqual([
      "Error: the name was not answered in 10 seconds",
      "Error: the names asked for before were not answered in 10 seconds",
    ]);
    void ask("other.example");
    expect([...asked.keys()]).toEqual(["slow.example"]);
  });

  it("are refused when too many names wait, counted and logged; this host's own name is not", async () => {
    const { asked, ask, lookups, warned, reasons } = setUp();
    for (let n = 0; n <= 256; n += 1) void ask(`n${n}.example`);
    await expect(ask("more.example")).rejects.toThrow("too many names are to be looked up");
    expect(lookups.refused).toBe(1);
    expect(warned).toEqual([["too many names are to be looked up", { refused: 1 }]]);
    expect(reasons).toHaveLength(1);
    const own = ask("localhost");
    asked.get("localhost")?.resolve(["127.0.0.1"]);
    expect(await own).toEqual(["127.0.0.1"]);
    expect([...asked.keys()]).toEqual(["n0.example", "localhost"]);
  });
});
