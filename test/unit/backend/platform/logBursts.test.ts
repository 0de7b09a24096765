import { describe, expect, it } from "vitest";
import { LogBursts } from "../../../../backend/src/platform/logBursts.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

function setUp() {
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const bursts = new LogBursts({ clock });
  const note = (address: string, message = "request") =>
    bursts.note({ log, level: "info", message, address, fields: { address } });
  const ofUser = (name: string, address: string, message = "request") => {
    const user = { accountId: `account ${name}`, name };
    bursts.note({ log, level: "info", message, address, user, fields: { address } });
  };
  const told = () =>
    lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ level }) => level !== "debug");
  return { clock, bursts, note, ofUser, told };
}

describe("lines that strangers cause", () => {
  it("are written five a minute per network and kind, then one that counts the others", () => {
    const { clock, note, told } = setUp();
    for (let n = 0; n < 30_000; n++) note("192.0.2.1");
    note("192.0.2.2");
    note("192.0.2.1", "login");
    expect(told().length).toBe(7);
    clock.advance(60_000);
    expect(told()[7]).toMatchObject({ message: "request", network: "192.0.2.1", more: 29_995 });
    expect(told().length).toBe(8);
    note("192.0.2.1");
    expect(told()[8]).toMatchObject({ address: "192.0.2.1" });
  });

  it("stay few when they come from many networks, and nothing is left to wait for at the end", () => {
    const { clock, bursts, note, told } = setUp();
    for (let n = 0; n < 5_000; n++) note(`10.${n >> 8}.${n & 255}.1`);
    expect(told().length).toBe(1_005);
    bursts.close();
    expect(told().at(-1)).toMatchObject({ network: "many others", more: 3_995 });
    expect(clock.timers).toBe(0);
  });

  it("of ever other networks are few also when they are new each minute", () => {
    const { clock, note, told } = setUp();
    for (let minute = 0; minute < 30; minute++) {
      for (let n = 0; n < 1_000; n++) note(`10.${minute}.${n >> 8}.${n & 255}`);
      clock.advance(60_000);
    }
    expect(told().length).toBeLessThan(1_000 + 500 + 30 * 6);
  });
});

describe("lines that users cause", () => {
  it("are written five a minute per user and kind, from wherever, then one that counts the others", () => {
    const { clock, ofUser, told } = setUp();
    for (let n = 0; n < 30_000; n++)
      ofUser("mallory", `2001:db8:1:${(n % 60_000).toString(16)}::1`);
    ofUser("anna", "192.0.2.1");
    ofUser("mallory", "192.0.2.1", "user socket opened");
    expect(told().length).toBe(7);
    clock.advance(60_000);
    expect(told()[7]).toMatchObject({ message: "request", user: "mallory", more: 29_995 });
    expect(told().length).toBe(8);
  });

  it("are not counted with those of strangers, however many these are", () => {
    const { note, ofUser, told } = setUp();
    for (let n = 0; n < 5_000; n++) note(`10.${n >> 8}.${n & 255}.1`);
    const before = told().length;
    ofUser("anna", "192.0.2.1");
    expect(told().slice(before)).toEqual([expect.objectContaining({ address: "192.0.2.1" })]);
  });
});
