import { RportError } from "@rport/protocol/errors";
import { describe, expect, it } from "vitest";
import { Limits } from "../../../../../backend/src/limits/limits.ts";
import { Guesses } from "../../../../../backend/src/users/invitations/guesses.ts";
import type { TriesFrom } from "../../../../../backend/src/users/signIn/guessing.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { testLog } from "../../../../support/log.ts";

const HERE = { address: "192.0.2.1", isShared: false };

/** After how many seconds the next code is taken from there, as it is told. */
function waitS(guesses: Guesses, from: TriesFrom = HERE): number {
  try {
    guesses.requireRoom(from);
    return 0;
  } catch (caught) {
    const { code, retryAfterS = 0, detail } = RportError.from(caught);
    expect(code).toBe("TOO_MANY_REQUESTS");
    expect(detail).toBe(`Try again in ${retryAfterS} s.`);
    return retryAfterS;
  }
}

function afterWrong(count: number, from: (at: number) => TriesFrom) {
  const clock = new FakeClock();
  const limits = new Limits({ clock, log: testLog().log });
  const guesses = new Guesses({ clock, limits });
  for (let at = 0; at < count; at += 1) guesses.note(from(at));
  return { clock, guesses, limits };
}

describe("guesses at codes", () => {
  it("wait as long as their network is told, and no second longer", () => {
    const { clock, guesses } = afterWrong(10, () => HERE);
    expect(waitS(guesses)).toBe(6);
    clock.advance(5_000);
    expect(waitS(guesses)).toBe(1);
    clock.advance(1_000);
    expect(waitS(guesses)).toBe(0);
    guesses.note(HERE);
    expect(waitS(guesses)).toBe(6);
  });

  it("of one network make nobody else wait", () => {
    const { guesses } = afterWrong(10, () => HERE);
    expect(waitS(guesses, { address: "192.0.2.2", isShared: false })).toBe(0);
    expect(waitS(guesses, { ...HERE, isShared: true })).toBe(0);
  });

  it("of one /48 make nobody elsewhere wait, whatever networks it has", () => {
    const { guesses } = afterWrong(0, () => HERE);
    const inIt = Array.from({ length: 5_000 }, (_, at) => `2001:db8:1:${at.toString(16)}::1`);
    const taken = inIt.filter((address) => {
      const from = { address, isShared: false };
      if (waitS(guesses, from) > 0) return false;
      guesses.note(from);
      return true;
    });
    expect(taken).toHaveLength(50);
    expect(waitS(guesses, { address: "2001:db8:1:ffff::1", isShared: false })).toBeGreaterThan(0);
    expect(waitS(guesses)).toBe(0);
    expect(waitS(guesses, { address: "2001:db9::1", isShared: false })).toBe(0);
  });

  it("from everywhere at once make everybody wait, for the second that it takes", () => {
    const { guesses, limits } = afterWrong(2_000, (at) => ({
      address: `10.${at >> 3}.${at & 7}.1`,
      isShared: false,
    }));
    expect(waitS(guesses)).toBe(1);
    expect(limits.states().find(({ name }) => name === "wrong_codes_per_second")?.bites).toBe(1);
  });
});
