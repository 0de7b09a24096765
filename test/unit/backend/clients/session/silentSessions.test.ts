import { authIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { SilentSessions } from "../../../../../backend/src/clients/session/silentSessions.ts";
import { Limits } from "../../../../../backend/src/limits/limits.ts";
import type { SetLimits } from "../../../../../backend/src/limits/limitTable.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { everythingRead } from "../../../../support/everythingRead.ts";
import { testLog } from "../../../../support/log.ts";

/** Sessions that say nothing; `ended` has the names of those that had to go, in order. */
function setUp(values: SetLimits = {}) {
  const clock = new FakeClock();
  const limits = new Limits({ values, clock, log: testLog().log });
  const silent = new SilentSessions({
    limits,
    clock,
    onFault: (error) => {
      throw error;
    },
  });
  const ended: string[] = [];
  const enter = (name: string, { credential = "fleet", secret = "secret-1" } = {}) =>
    silent.enter(
      {
        credentialId: authIdSchema.parse(credential),
        secretId: secretIdSchema.parse(secret),
        address: "192.0.2.1",
      },
      () => void ended.push(name),
    );
  const bitesOf = (name: keyof SetLimits) =>
    limits.states().find((state) => state.name === name)?.bites;
  return { clock, silent, ended, enter, bitesOf };
}

const names = (count: number) => Array.from({ length: count }, (_, n) => `host-${n}`);

describe("sessions that signed in and say nothing", () => {
  it("are many while they are on their way, and two of a secret afterwards", () => {
    const { clock, silent, ended, enter, bitesOf } = setUp();
    for (const name of names(500)) enter(name);
    clock.advance(10_900);
    expect([silent.size, ended]).toEqual([500, []]);
    clock.advance(100);
    expect([silent.size, ended.slice(0, 2)]).toEqual([2, ["host-2", "host-3"]]);
    expect(bitesOf("silent_sessions_per_secret")).toBe(498);
    clock.advance(18_999);
    expect(silent.size).toBe(2);
    clock.advance(1);
    expect(silent.size).toBe(0);
  });

  it("are 64 of a credential afterwards, whatever secrets they have", () => {
    const { clock, silent, enter, bitesOf } = setUp();
    for (const name of names(100)) enter(name, { secret: `secret-of-${name}` });
    enter("another", { credential: "other", secret: "secret-other" });
    clock.advance(11_000);
    expect([silent.size, bitesOf("silent_sessions_per_credential")]).toEqual([65, 36]);
  });

  it("give their place back once they speak, and time means nothing to them then", () => {
    const { clock, silent, ended, enter } = setUp();
    const [late, other] = [enter("late"), enter("other")];
    clock.advance(11_000);
    silent.leave(late);
    silent.leave(late);
    silent.leave(other);
    expect([silent.size, clock.timers]).toEqual([0, 0]);
    enter("next");
    enter("after next");
    clock.advance(11_000);
    expect([silent.size, ended]).toEqual([2, []]);
  });

  it("make room when all places are taken: the oldest of the most crowded secret", async () => {
    const { clock, silent, ended, enter, bitesOf } = setUp({ silent_sessions: 20 });
    enter("alone", { credential: "other", secret: "secret-other" });
    for (const name of names(19)) enter(name);
    clock.advance(250);
    enter("newcomer", { credential: "third", secret: "secret-third" });
    await everythingRead();
    expect([silent.size, ended]).toEqual([20, ["host-0"]]);
    expect(bitesOf("silent_sessions")).toBe(1);
  });

  it("F-03: keep their places when what they said had arrived and lay unread", async () => {
    const { clock, silent, ended, enter } = setUp({ silent_sessions: 1 });
    const spoke = enter("spoke");
    clock.advance(3_000);
    enter("newcomer");
    silent.leave(spoke);
    await everythingRead();
    expect([silent.size, ended]).toEqual([1, []]);
  });

  it("keep their places for a moment, so that nobody on the way loses it to the next one", async () => {
    const { silent, ended, enter } = setUp({ silent_sessions: 20 });
    for (const name of names(30)) enter(name);
    await everythingRead();
    expect([silent.size, ended]).toEqual([30, []]);
  });
});
