import { describe, expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import type { SetLimits } from "../../../../backend/src/limits/limitTable.ts";
import { SharedPlaces } from "../../../../backend/src/limits/sharedPlaces.ts";
import { sharerNamed } from "../../../../backend/src/limits/sharer.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

/** A user of these tests, under some name of theirs. */
const user = (accountId: string, name = accountId) => ({ accountId, name });

function setUp(values: SetLimits) {
  const { log, lines } = testLog();
  const limits = new Limits({ values, clock: new FakeClock(), log });
  const names = () => ({ client: "web-01" });
  const places = new SharedPlaces<object>({ limits, limit: "tunnels_per_client", names });
  /** Takes as many as one user may, and answers how many that were. */
  const fill = (who: string, isReturning = false): number => {
    for (let own = 0; ; own += 1) {
      if (places.taken >= places.max) return own;
      try {
        places.requireShare(user(who), { isReturning });
      } catch {
        return own;
      }
      places.take({}, user(who));
    }
  };
  return { places, limits, lines, fill };
}

describe("the places that users share", () => {
  it.each([
    [64, [48, 12, 3, 1]],
    [1_000, [750, 187, 47, 12]],
    [3, [2, 1, 0, 0]],
    [2, [1, 1, 0, 0]],
    [1, [1, 0, 0, 0]],
  ])("are %i: whoever takes all that they may leaves some to the next", (max, shares) => {
    const { fill } = setUp({ tunnels_per_client: max });
    expect(["eve", "mallory", "trudy", "oscar"].map((who) => fill(who))).toEqual(shares);
  });

  it("have one for somebody else, whatever their number is and whatever comes back", () => {
    for (let max = 2; max <= 200; max += 1) {
      for (const isReturning of [false, true]) {
        const { places, fill } = setUp({ tunnels_per_client: max });
        fill("eve", isReturning);
        expect(places.taken).toBeLessThan(max);
        expect(fill("anna")).toBeGreaterThan(0);
      }
    }
  });

  it.each([64, 2, 1])("are %i, and all one's own where nobody else comes", (max) => {
    const { limits, fill } = setUp({ tunnels_per_client: max });
    limits.sharedWhile(() => false);
    expect(fill("local")).toBe(max);
    expect(fill("local", true)).toBe(0);
  });

  it("take no more from what comes back than a sixteenth", () => {
    expect(setUp({ tunnels_per_client: 64 }).fill("eve", true)).toBe(60);
  });

  it("count once what is taken twice, and are free again when it is left", () => {
    const { places } = setUp({ tunnels_per_client: 4 });
    const things = [{}, {}, {}];
    for (const thing of [...things, ...things]) places.take(thing, user("eve"));
    expect(places.taken).toBe(3);
    expect(() => places.requireShare(user("eve"))).toThrow("eve has 3 of this client's 4 tunnels");
    for (const thing of [...things.slice(1), ...things.slice(1)]) places.leave(thing);
    expect(places.taken).toBe(1);
    places.requireShare(user("eve"));
  });

  it("count what only a name is known of for who has it, and for nobody else", () => {
    const { places } = setUp({ tunnels_per_client: 4 });
    for (let n = 0; n < 3; n += 1) places.take({}, sharerNamed("eve"));
    expect(() => places.requireShare(user("account 1", "eve"))).toThrow("eve has 3");
    places.requireShare(user("account 1", "mallory"));
  });

  it("say who was refused, of what and how much they have", () => {
    const { limits, lines, fill } = setUp({ tunnels_per_client: 4 });
    fill("eve");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        message: "a limit was met",
        limit: "tunnels_per_client",
        client: "web-01",
        user: "eve",
        share: 3,
        of: 4,
      }),
    ]);
    const { bites } = limits.states().find(({ name }) => name === "tunnels_per_client") ?? {};
    expect(bites).toBe(1);
  });
});
