import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { UnreadAnswers } from "../../../../backend/src/http/unreadAnswers.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { testLog } from "../../../support/log.ts";

const MIB = 1 << 20;
/** What each counts beside its bytes. */
const BESIDE = 16 << 10;

function setUp() {
  const values = { answer_bytes: 4 * (MIB + BESIDE) };
  const limits = new Limits({ clock: new FakeClock(), log: testLog().log, values });
  const answers = new UnreadAnswers(limits);
  const give = (caller: string, bytes = MIB) => {
    const socket = new PassThrough();
    const response = Object.assign(socket, { req: { socket } });
    answers.add({ accountId: caller, name: caller }, response, bytes);
    return response;
  };
  const more = (caller: string, response: ReturnType<typeof give>, bytes: number) =>
    answers.add({ accountId: caller, name: caller }, response, bytes);
  const state = () => limits.states().find(({ name }) => name === "answer_bytes");
  return { give, more, state };
}

describe("answers that nobody takes", () => {
  it("count what they have of those that are being made, each once beside its bytes", () => {
    const { give, more, state } = setUp();
    const growing = give("eve", 1_000);
    more("eve", growing, 2_000);
    expect(state()).toMatchObject({ used: 3_000 + BESIDE, bites: 0 });
    more("eve", growing, 5 * MIB);
    expect([growing.destroyed, state()?.used]).toEqual([true, 0]);
  });

  it("have so many bytes at the most: of whoever has most, the oldest ends", () => {
    const { give, state } = setUp();
    const patient = give("anna");
    const [first, second, third] = [give("eve"), give("eve"), give("eve")];
    expect(state()).toMatchObject({ used: 4 * (MIB + BESIDE), bites: 0 });
    const fourth = give("eve");
    expect([patient, first, second, third, fourth].map(({ destroyed }) => destroyed)).toEqual([
      false,
      true,
      false,
      false,
      false,
    ]);
    expect(state()).toMatchObject({ used: 4 * (MIB + BESIDE), bites: 1 });
  });

  it("count no more when they were taken, or given up", async () => {
    const { give, state } = setUp();
    const [taken, left] = [give("anna"), give("eve", 2 * MIB)];
    taken.destroy();
    left.destroy();
    await eventually(() => expect(state()?.used).toBe(0));
  });

  it("are few where each has next to nothing: what is kept of a request counts, too", () => {
    const { give, state } = setUp();
    const given = Array.from({ length: 300 }, () => give("eve", 100));
    const left = given.filter(({ destroyed }) => !destroyed);
    expect(left.length).toBeLessThan(260);
    expect(state()?.bites).toBe(300 - left.length);
  });

  it("end by themselves where one alone is too large", () => {
    const { give, state } = setUp();
    expect(give("anna", 5 * MIB).destroyed).toBe(true);
    expect(state()).toMatchObject({ used: 0, bites: 1 });
  });
});
