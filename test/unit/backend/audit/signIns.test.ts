import { describe, expect, it } from "vitest";
import { Bursts } from "../../../../backend/src/audit/bursts.ts";
import type { AuditEntry } from "../../../../backend/src/audit/entry.ts";
import { SignIns } from "../../../../backend/src/audit/signIns.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { noAudit } from "../../../support/backend/noAudit.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function make(max?: number) {
  const entries: AuditEntry[] = [];
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const audit = { ...noAudit, note: (one: AuditEntry) => void entries.push(one) };
  const bursts = new Bursts({ audit, clock });
  const limits = new Limits({ values: { sign_in_entries_per_user: max }, clock, log });
  const signIns = new SignIns({ audit, bursts, limits, clock });
  const bites = () =>
    limits.states().find(({ name }) => name === "sign_in_entries_per_user")?.bites;
  return { entries, clock, lines, signIns, bites };
}

const shown = (tokenId: string, name = "mallory") => ({ tokenId, accountId: `7 ${name}`, name });
/** An address of the n-th network of a /48. */
const network = (n: number) => `2001:db8:1:${n.toString(16)}::1`;

describe("uses of tokens", () => {
  it("are written once per hour, token and network", () => {
    const { entries, clock, signIns } = make();
    for (let n = 0; n < 50; n += 1) signIns.accepted(shown("token-1"), "192.0.2.1");
    for (let n = 1; n < 50; n += 1) signIns.accepted(shown("token-1"), `2001:db8:1:2::${n}`);
    signIns.accepted(shown("token-2"), "192.0.2.1");
    const written = [
      ["192.0.2.1", "token-1"],
      ["2001:db8:1:2::1", "token-1"],
      ["192.0.2.1", "token-2"],
    ];
    expect(entries.map(({ remoteIp, affectedId }) => [remoteIp, affectedId])).toEqual(written);
    clock.advance(HOUR_MS);
    signIns.accepted(shown("token-1"), "192.0.2.1");
    expect(entries).toHaveLength(4);
  });

  it("from ever other networks are so many of one user, and then one a minute that counts them", () => {
    const { entries, clock, lines, signIns, bites } = make(100);
    for (let n = 0; n < 40_000; n += 1) signIns.accepted(shown(`token-${n % 9}`), network(n));
    expect(entries).toHaveLength(100);
    clock.advance(MINUTE_MS);
    expect(entries.slice(100)).toEqual([
      expect.objectContaining({
        application: "auth.api.session",
        action: "success",
        user: "mallory",
        remoteIp: undefined,
        affectedId: undefined,
        response: { more: 39_900, within_seconds: 60 },
      }),
    ]);
    expect(bites()).toBe(39_900);
    expect(lines.filter((line) => line.includes("a limit was met"))).toHaveLength(1);
  });

  it("of others are written as ever meanwhile, and not once more for each that is only counted", () => {
    const { entries, signIns } = make(100);
    signIns.accepted(shown("token-a", "anna"), "192.0.2.1");
    for (let n = 0; n < 40_000; n += 1) signIns.accepted(shown("token-1"), network(n));
    for (let n = 0; n < 9; n += 1) signIns.accepted(shown("token-a", "anna"), "192.0.2.1");
    signIns.accepted(shown("token-b", "bert"), "192.0.2.1");
    const others = entries.filter(({ user }) => user !== "mallory");
    expect(others.map(({ affectedId }) => affectedId)).toEqual(["token-a", "token-b"]);
  });

  it("are written again when time has passed, and all are counted at the end", () => {
    const { entries, clock, signIns } = make(100);
    for (let n = 0; n < 200; n += 1) signIns.accepted(shown("token-1"), network(n));
    clock.advance(HOUR_MS / 2);
    for (let n = 1_000; n < 1_100; n += 1) signIns.accepted(shown("token-1"), network(n));
    expect(entries).toHaveLength(100 + 1 + 50);
    signIns.close();
    expect(entries.at(-1)).toMatchObject({ user: "mallory", response: { more: 50 } });
    expect(clock.timers).toBe(0);
  });
});

describe("sign-ins", () => {
  it("of one user are so many, counted apart from uses of tokens, which hide none", () => {
    const { entries, clock, signIns } = make(10);
    for (let n = 0; n < 1_000; n += 1) signIns.accepted(shown("token-1"), network(n));
    for (let n = 0; n < 50; n += 1) signIns.signedIn(shown(`${n}`), "192.0.2.1", "password");
    const ways = entries.filter(({ request }) => request?.with === "password");
    expect(ways).toHaveLength(10);
    clock.advance(MINUTE_MS);
    expect(entries.slice(20).map(({ response }) => response?.more)).toEqual([990, 40]);
  });

  it("stand for the first request with what came of them", () => {
    const { entries, signIns } = make();
    signIns.signedIn(shown("7"), "192.0.2.1", "password");
    signIns.accepted(shown("7"), "192.0.2.1");
    expect(entries).toHaveLength(1);
  });

  it("that fail are written up to a number per minute and network", () => {
    const { entries, clock, signIns } = make();
    for (let n = 0; n < 20; n += 1) signIns.failed(`2001:db8:1:2::${n}`);
    signIns.failed("192.0.2.1");
    clock.advance(MINUTE_MS);
    expect(entries.map(({ response }) => response?.more)).toEqual([
      ...Array(6).fill(undefined),
      15,
    ]);
  });
});
