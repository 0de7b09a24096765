import { describe, expect, it } from "vitest";
import { Lane, type LaneLimits } from "../../../../backend/src/platform/lane.ts";

/** A lane, and what was run in it so far; a job ends when it is told to. */
function laneOf(limits: LaneLimits) {
  const lane = new Lane(limits);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (name: string, kind?: string) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.set(name, resolve);
    const job = async () => {
      begun.push(name);
      await promise;
      return name;
    };
    return lane.run(job, kind);
  };
  return { begun, add, end: (name: string) => ends.get(name)?.() };
}

describe("a lane", () => {
  it("runs so many at a time, in the order in which they came, and answers with what they answer", async () => {
    const { begun, add, end } = laneOf({ running: 2, waiting: 9 });
    const all = ["a", "b", "c", "d"].map((name) => add(name));
    expect(begun).toEqual(["a", "b"]);
    end("b");
    await all[1];
    await expect.poll(() => begun).toEqual(["a", "b", "c"]);
    for (const name of ["a", "c", "d"]) end(name);
    expect(await Promise.all(all)).toEqual(["a", "b", "c", "d"]);
  });

  it("lets one of each kind run in turn", async () => {
    const { begun, add, end } = laneOf({ running: 1, waiting: 9 });
    const all = [add("a1", "a"), add("a2", "a"), add("a3", "a"), add("b1", "b"), add("c1", "c")];
    for (const name of ["a1", "a2", "a3", "b1", "c1"]) end(name);
    await Promise.all(all);
    expect(begun).toEqual(["a1", "a2", "b1", "c1", "a3"]);
  });

  it("runs no more of one kind at a time than it may, and keeps nobody waiting for those", async () => {
    const { begun, add, end } = laneOf({ running: 3, runningOfOne: 2, waiting: 9 });
    const all = [add("a1", "a"), add("a2", "a"), add("a3", "a"), add("b1", "b"), add("b2", "b")];
    expect(begun).toEqual(["a1", "a2", "b1"]);
    end("b1");
    await expect.poll(() => begun).toEqual(["a1", "a2", "b1", "b2"]);
    end("b2");
    await all[4];
    expect(begun).toHaveLength(4);
    for (const name of ["a1", "a2", "a3"]) end(name);
    await Promise.all(all);
    expect(begun.at(-1)).toBe("a3");
  });

  it("turns away at once what is too much, of one kind or of all", async () => {
    const { add, end } = laneOf({ running: 1, waiting: 2, waitingOfOne: 1 });
    const first = add("first", "a");
    const second = add("second", "a");
    expect(add("third", "a")).toBeUndefined();
    const other = add("other", "b");
    expect(add("one more", "c")).toBeUndefined();
    for (const name of ["first", "second", "other"]) end(name);
    expect(await Promise.all([first, second, other])).toEqual(["first", "second", "other"]);
  });

  it("goes on after a job that failed", async () => {
    const lane = new Lane({ running: 1, waiting: 1 });
    const failed = lane.run(() => Promise.reject(new Error("no")));
    const next = lane.run(async () => "yes");
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe("yes");
  });
});
