import { expect, it } from "vitest";
import { PortTable } from "../../../../backend/src/tunnels/ports.ts";
import { FakeClock } from "../../../support/clock.ts";

const RANGE = { from: 20_000, to: 20_002 };

it("hands out each port of the range once", () => {
  const ports = new PortTable(RANGE, new FakeClock());
  const taken = [1, 2, 3].map((n) => ports.takeRandom(`owner ${n}`));
  expect(taken.toSorted()).toEqual([20_000, 20_001, 20_002]);
  expect(() => ports.takeRandom("one more")).toThrow(/20000 to 20002 are in use/);
});

it("refuses a port outside the range in RPort's words", () => {
  const ports = new PortTable(RANGE, new FakeClock());
  expect(() => ports.take(4_000, "a")).toThrow("Local port 4000 is not among allowed ports");
});

it("refuses a port that another tunnel has", () => {
  const ports = new PortTable(RANGE, new FakeClock());
  ports.take(20_001, "a");
  expect(() => ports.take(20_001, "a")).toThrow(
    expect.objectContaining({ code: "ERR_CODE_LOCAL_PORT_IN_USE" }),
  );
});

it("S-25: gives nobody else a port within 60 s of its release", () => {
  const clock = new FakeClock();
  const ports = new PortTable({ from: 20_000, to: 20_000 }, clock);
  ports.release(ports.takeRandom("a"));
  clock.advance(59_999);
  expect(() => ports.takeRandom("b")).toThrow();
  expect(() => ports.take(20_000, "b")).toThrow();
  clock.advance(1);
  expect(ports.takeRandom("b")).toBe(20_000);
});

it("gives the same owner its port back at once", () => {
  const ports = new PortTable(RANGE, new FakeClock());
  ports.release(ports.take(20_001, "a"));
  expect(ports.take(20_001, "a")).toBe(20_001);
});
