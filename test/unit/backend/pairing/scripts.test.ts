import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { Scripts } from "../../../../backend/src/pairing/desk/scripts.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

function setUp(most = 64) {
  const { log, lines } = testLog();
  const limits = new Limits({ values: { deposit_scripts: most }, clock: new FakeClock(), log });
  const named = new Set<string>();
  const scripts = new Scripts({ limits, share: 1 / 4, named: () => named });
  const bring = (text: string, depositor: string): string => {
    const sha256 = createHash("sha256").update(text).digest("hex");
    expect(scripts.keep(sha256, Buffer.from(text), depositor)).toBe(true);
    return sha256;
  };
  return { scripts, named, limits, lines, bring };
}

it("stay while an open deposit names them, and one server's never make room for another's", () => {
  const { scripts, named, bring } = setUp();
  const a = bring("script of a", "a");
  const other = bring("script of a's next release", "a");
  named.add(a);
  for (let n = 0; n < 200; n += 1) bring(`evict ${n}`, "b");
  expect(scripts.get(a)?.toString()).toBe("script of a");
  expect(scripts.get(other)).toBeDefined();
});

it("of one server are refused when open deposits name all of its share, which is logged", () => {
  const { named, limits, lines, bring } = setUp();
  for (let n = 0; n < 16; n += 1) named.add(bring(`kept ${n}`, "b"));
  expect(() => bring("one more", "b")).toThrow(
    expect.objectContaining({ code: "UNAVAILABLE", message: expect.stringMatching(/no place/) }),
  );
  const state = limits.states().find(({ name }) => name === "deposit_scripts");
  expect(state).toMatchObject({ used: 16, bites: 1 });
  expect(lines).toContainEqual(expect.stringMatching(/a limit was met.*"b"/));
  expect(() => bring("another's", "a")).not.toThrow();
  named.clear();
  expect(() => bring("one more", "b")).not.toThrow();
});

it("that two brought stay for the other when one brings more, and all together are bounded", () => {
  const { scripts, limits, bring } = setUp(8);
  const both = bring("one release", "a");
  bring("one release", "b");
  for (let n = 0; n < 9; n += 1) bring(`evict ${n}`, "b");
  expect(scripts.get(both)).toBeDefined();
  for (let n = 0; n < 20; n += 1) bring(`of many ${n}`, `server ${n}`);
  expect(limits.states().find(({ name }) => name === "deposit_scripts")?.used).toBe(8);
});

it("are not kept under another SHA-256", () => {
  const { scripts } = setUp();
  expect(scripts.keep("0".repeat(64), Buffer.from("x"), "a")).toBe(false);
});
