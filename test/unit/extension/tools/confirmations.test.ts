import { describe, expect, it } from "vitest";
import { Confirmations } from "../../../../extension/src/tools/confirmations.ts";

const INPUT = { credential: "lab" };
const THEN = { serverKey: "lab", state: "as it was", hit: ["web-01", "web-02"] };
const NOW = { serverKey: "lab", state: "as it is", hit: [] };

describe("what people were told before a tool acts", () => {
  it("is taken once, and only by what was asked", () => {
    const confirmations = new Confirmations();
    expect(() => confirmations.take(INPUT, THEN)).toThrow("Nobody was asked");
    confirmations.ask(INPUT, THEN);
    expect(() => confirmations.take({ credential: "other" }, THEN)).toThrow("Nobody");
    confirmations.take(INPUT, THEN);
    expect(() => confirmations.take(INPUT, THEN)).toThrow("Nobody was asked");
  });

  it("is no answer to what would be done now", () => {
    const confirmations = new Confirmations();
    confirmations.ask(INPUT, THEN);
    expect(() => confirmations.take(INPUT, NOW)).toThrow("has changed since");
    expect(() => confirmations.take(INPUT, THEN)).toThrow("Nobody was asked");
  });

  it("is no answer for another server that has the same ids", () => {
    const confirmations = new Confirmations();
    confirmations.ask(INPUT, THEN);
    expect(() => confirmations.take(INPUT, { ...THEN, serverKey: "other" })).toThrow(
      "has changed since",
    );
  });

  it("holds while fewer are hit, and not when somebody else is", () => {
    const confirmations = new Confirmations();
    confirmations.ask(INPUT, THEN);
    confirmations.take(INPUT, { ...THEN, hit: ["web-02"] });
    confirmations.ask(INPUT, THEN);
    expect(() => confirmations.take(INPUT, { ...THEN, hit: ["web-02", "web-03"] })).toThrow(
      "has changed since",
    );
  });

  it("is one answer to each of two equal questions", () => {
    const confirmations = new Confirmations();
    for (const _ of [1, 2]) confirmations.ask(INPUT, THEN);
    for (const _ of [1, 2]) confirmations.take(INPUT, THEN);
    expect(() => confirmations.take(INPUT, THEN)).toThrow("Nobody was asked");
  });

  it("is kept for the newest questions", () => {
    const confirmations = new Confirmations();
    for (let n = 0; n < 65; n += 1) confirmations.ask({ n }, THEN);
    expect(() => confirmations.take({ n: 0 }, THEN)).toThrow("Nobody was asked");
    confirmations.take({ n: 1 }, THEN);
    confirmations.take({ n: 64 }, THEN);
  });
});
