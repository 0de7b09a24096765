import { setImmediate } from "node:timers/promises";
import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { Input } from "../../../../agent/src/terminal/input.ts";
import { WRITE_BYTES } from "../../../../agent/src/terminal/pty.ts";

/** Input whose program takes what it was given when the test says so. */
function inputOf(canThrowAway = true) {
  const written: string[] = [];
  const taken: number[] = [];
  const input = new Input({
    write: (bytes) => void written.push(bytes.toString()),
    throwAway: async () => {
      written.push("-");
      return canThrowAway;
    },
    onStuck: (bytes) => void written.push(`stuck ${bytes}`),
    onTaken: (offset) => void taken.push(offset),
  });
  return { input, written, taken };
}

describe("the input of a terminal", () => {
  it("is given in order, a piece when the one before was taken", () => {
    const { input, written, taken } = inputOf();
    input.add(0, Buffer.from("ab"));
    input.add(2, Buffer.from("cd"));
    input.add(4, Buffer.from("ef"));
    expect(written).toEqual(["ab"]);
    input.taken();
    expect([written, taken]).toEqual([["ab", "cdef"], [2]]);
    input.taken();
    input.taken();
    expect(taken).toEqual([2, 6]);
  });

  it("is given in pieces that the system takes", () => {
    const { input, written } = inputOf();
    input.add(0, Buffer.alloc(10_000, "x"));
    for (let taken = 0; taken < 3; taken += 1) input.taken();
    expect(written.map(({ length }) => length)).toEqual([WRITE_BYTES, WRITE_BYTES, 1_810]);
  });

  it("that came already is not given again, wherever it begins", () => {
    const { input, written } = inputOf();
    input.add(0, Buffer.from("abcd"));
    input.taken();
    input.add(0, Buffer.from("ab"));
    input.add(2, Buffer.from("cdef"));
    expect(written).toEqual(["abcd", "ef"]);
  });

  it("that is missing, or more than a window, is refused", () => {
    const { input } = inputOf();
    expect(() => input.add(1, Buffer.from("b"))).toThrow("input is missing");
    input.add(0, Buffer.from("a"));
    const window = Buffer.alloc(TERMINAL.inputWindowBytes);
    input.add(1, window);
    expect(() => input.add(1 + window.length, Buffer.from("b"))).toThrow(/more input than allowed/);
  });

  it("that is urgent goes before all that waits, which counts as taken", async () => {
    const { input, written, taken } = inputOf();
    input.add(0, Buffer.from("a"));
    input.add(1, Buffer.from("bcdef"));
    input.addUrgent(6, Buffer.from("!"));
    input.addUrgent(6, Buffer.from("!"));
    await setImmediate();
    expect(written).toEqual(["a", "-"]);
    await takeWithKey(input);
    expect([written, taken]).toEqual([
      ["a", "-", "-", "!"],
      [6, 7],
    ]);
    input.add(7, Buffer.from("g"));
    expect(written.slice(3)).toEqual(["!", "g"]);
  });

  it("that is urgent may be stuck where something is on its way that cannot be thrown away", async () => {
    const { input, written } = inputOf(false);
    input.addUrgent(0, Buffer.from("!"));
    await setImmediate();
    expect(written).toEqual(["-", "!"]);
    input.addUrgent(1, Buffer.from("?"));
    input.addUrgent(1, Buffer.from("?"));
    await setImmediate();
    expect(written.slice(2)).toEqual(["-", "stuck ?"]);
  });

  it("that is urgent any number of times in one piece has room made for it once", async () => {
    const { input, written, taken } = inputOf();
    input.add(0, Buffer.from("a"));
    for (let key = 0; key < 370; key += 1) input.addUrgent(1 + key, Buffer.from([key % 256]));
    await setImmediate();
    expect(written).toEqual(["a", "-"]);
    await takeWithKey(input);
    expect([written, taken]).toEqual([
      ["a", "-", "-", String.fromCharCode(369 % 256)],
      [370, 371],
    ]);
  });

  it("that comes while room is made for what is urgent is given behind it", async () => {
    const { input, written } = inputOf();
    input.addUrgent(0, Buffer.from("!"));
    input.add(1, Buffer.from("b"));
    expect(written).toEqual(["-"]);
    await setImmediate();
    input.taken();
    expect(written).toEqual(["-", "!b"]);
  });

  it("that is urgent, and a window beyond all that came, is refused", async () => {
    const { input, written } = inputOf();
    const far = () => input.addUrgent(2 ** 48, Buffer.from("!"));
    expect(far).toThrow(/more input than allowed/);
    expect(written).toEqual([]);
    input.addUrgent(TERMINAL.inputWindowBytes - 1, Buffer.from("!"));
    await setImmediate();
    expect(written).toEqual(["-", "!"]);
  });

  it("that waited is said again by the next viewer, from where it was given", () => {
    const { input, written } = inputOf();
    input.add(0, Buffer.from("a"));
    input.add(1, Buffer.from("old"));
    expect(input.begin()).toBe(1);
    input.add(1, Buffer.from("new"));
    input.taken();
    expect(written).toEqual(["a", "new"]);
  });
});

/** The system takes what was given before, and then the urgent key. */
async function takeWithKey(input: Input): Promise<void> {
  input.taken();
  await setImmediate();
  input.taken();
}
