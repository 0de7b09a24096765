import { describe, expect, it } from "vitest";
import { Confirmations } from "../../../../extension/src/tools/confirmations.ts";

const INPUT = { credential: "lab" };

describe("what people were told before a tool acts", () => {
  it("is taken once, and only by what was asked", () => {
    const confirmations = new Confirmations();
    expect(() => confirmations.take(INPUT, "as it was")).toThrow("Nobody was asked");
    confirmations.ask(INPUT, "as it was");
    expect(() => confirmations.take({ credential: "other" }, "as it was")).toThrow("Nobody");
    confirmations.take(INPUT, "as it was");
    expect(() => confirmations.take(INPUT, "as it was")).toThrow("Nobody was asked");
  });

  it("is no answer to what would be done now", () => {
    const confirmations = new Confirmations();
    confirmations.ask(INPUT, "as it was");
    expect(() => confirmations.take(INPUT, "as it is")).toThrow("has changed since");
    expect(() => confirmations.take(INPUT, "as it was")).toThrow("Nobody was asked");
  });

  it("is kept for the newest questions", () => {
    const confirmations = new Confirmations();
    for (let n = 0; n < 65; n += 1) confirmations.ask({ n }, "");
    expect(() => confirmations.take({ n: 0 }, "")).toThrow("Nobody was asked");
    confirmations.take({ n: 1 }, "");
    confirmations.take({ n: 64 }, "");
  });
});
