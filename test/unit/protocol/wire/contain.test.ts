import { EventEmitter } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { contain, containing, guarded } from "@rport/protocol/wire/contain";
import { guardedClock } from "@rport/protocol/wire/guardedClock";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../support/clock.ts";

const fault = new Error("broken on purpose");
const broken = (): never => {
  throw fault;
};

describe("F-25 a contained emitter", () => {
  it("hands what its listeners throw to whoever contains it", () => {
    const faults: unknown[] = [];
    const emitter = new EventEmitter();
    contain(emitter, (error) => faults.push(error));
    emitter.on("data", broken);
    expect(() => emitter.emit("data")).not.toThrow();
    expect(faults).toEqual([fault]);
  });

  it("does the same with an error that nobody listens for", () => {
    const faults: unknown[] = [];
    const emitter = new EventEmitter();
    contain(emitter, (error) => faults.push(error));
    emitter.emit("error", fault);
    expect(faults).toEqual([fault]);
  });

  it("calls its listeners with what they are told, and says whether there were any", () => {
    const heard: unknown[] = [];
    const emitter = new EventEmitter();
    contain(emitter, broken);
    emitter.on("data", (...event) => heard.push(...event));
    expect(emitter.emit("data", 1, "two")).toBe(true);
    expect(emitter.emit("other")).toBe(false);
    expect(heard).toEqual([1, "two"]);
  });
});

describe("F-25 one handler for many emitters", () => {
  it("is told what was thrown, and whose listener threw", () => {
    const faults: unknown[] = [];
    const containOne = containing<EventEmitter>((error, emitter) => faults.push([error, emitter]));
    const [first, second] = [new EventEmitter(), new EventEmitter()];
    for (const emitter of [first, second]) containOne(emitter);
    second.on("data", broken);
    expect(first.emit("data")).toBe(false);
    expect(second.emit("data")).toBe(true);
    first.emit("error", fault);
    expect(faults).toEqual([
      [fault, second],
      [fault, first],
    ]);
  });

  it("leaves an emitter its own way to emit", () => {
    class Counting extends EventEmitter {
      count = 0;
      override emit(...event: Parameters<EventEmitter["emit"]>): boolean {
        this.count += 1;
        return super.emit(...event);
      }
    }
    const faults: unknown[] = [];
    const emitter = new Counting();
    containing<Counting>((error, { count }) => faults.push([error, count]))(emitter);
    emitter.on("data", broken);
    expect(emitter.emit("data")).toBe(true);
    expect(faults).toEqual([[fault, 1]]);
  });
});

describe("F-25 a guarded callback", () => {
  it("throws nothing, at once or later", async () => {
    const faults: unknown[] = [];
    const note = (error: unknown) => faults.push(error);
    guarded(note, broken)();
    guarded(note, async () => broken())();
    await nextTurn();
    expect(faults).toEqual([fault, fault]);
  });

  it("of a timer leaves the other timers alone", () => {
    const faults: unknown[] = [];
    const clock = new FakeClock();
    const guardedOne = guardedClock(clock, (error) => faults.push(error));
    let rang = false;
    guardedOne.after(1, broken);
    guardedOne.after(2, () => {
      rang = true;
    });
    clock.advance(2);
    expect(rang).toBe(true);
    expect(faults).toEqual([fault]);
  });
});
