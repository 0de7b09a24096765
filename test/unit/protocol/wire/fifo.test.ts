import { Fifo } from "@rport/protocol/wire/fifo";
import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../support/random.ts";

describe("things that wait in line", () => {
  it("come out in the order in which they came in, whatever is put back", () => {
    const random = randomFrom(7);
    const fifo = new Fifo<number>();
    let expected: number[] = [];
    for (let n = 0; n < 20_000; n += 1) {
      const chance = random.below(1_000);
      if (chance < 500) {
        fifo.push(n);
        expected.push(n);
      } else if (chance < 900) {
        expect(fifo.take()).toBe(expected.shift());
      } else if (chance < 999) {
        fifo.putBack(n);
        expected.unshift(n);
      } else {
        fifo.clear();
        expected = [];
      }
      expect(fifo.length).toBe(expected.length);
    }
  });
});
