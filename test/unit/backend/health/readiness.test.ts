import { describe, expect, it } from "vitest";
import { Readiness } from "../../../../backend/src/health/readiness.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

async function setUp() {
  const temp = await tempDirectory();
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const tries = { database: 0 };
  const answers = { database: Promise.resolve([]), audit: Promise.resolve() };
  const readiness = new Readiness({
    requireHeld: () => Promise.resolve(),
    directory: temp.path,
    database: {
      all: () => {
        tries.database += 1;
        return answers.database;
      },
    },
    audit: { ready: () => answers.audit },
    clock,
    log,
  });
  return { temp, clock, lines, tries, answers, readiness };
}

describe("F-28 readiness", () => {
  it("is found out once in a second, however many ask", async () => {
    const { temp, clock, tries, readiness } = await setUp();
    await using _ = temp;
    const reports = await Promise.all([readiness.report(), readiness.report()]);
    expect(reports.map(({ isReady }) => isReady)).toEqual([true, true]);
    expect(tries.database).toBe(1);
    clock.advance(1_000);
    await readiness.report();
    expect(tries.database).toBe(2);
  });

  it("is not tried again while a part that does not answer is waited for", async () => {
    const { temp, clock, tries, answers, readiness } = await setUp();
    await using _ = temp;
    answers.database = new Promise(() => {});
    const first = readiness.report();
    clock.advance(4_000);
    const second = readiness.report();
    clock.advance(1_000);
    expect((await Promise.all([first, second])).map(({ isReady }) => isReady)).toEqual([
      false,
      false,
    ]);
    expect(tries.database).toBe(1);
    const third = readiness.report();
    expect(tries.database).toBe(2);
    clock.advance(5_000);
    await third;
  });

  it("is lost with a part that does not answer, and the log says so once", async () => {
    const { temp, clock, lines, answers, readiness } = await setUp();
    await using _ = temp;
    answers.database = new Promise(() => {});
    const report = readiness.report();
    clock.advance(5_000);
    expect(await report).toMatchObject({
      isReady: false,
      parts: { disk: expect.any(String), store: "failed", audit: "ok" },
    });
    const again = readiness.report();
    clock.advance(5_000);
    expect((await again).isReady).toBe(false);
    expect(lines.filter((line) => line.includes("the server is not ready"))).toHaveLength(1);
  });

  it("is lost with an audit log that cannot be written, and with a folder that is gone", async () => {
    const { temp, clock, lines, answers, readiness } = await setUp();
    answers.audit = Promise.reject(new Error("no space left"));
    answers.audit.catch(() => {});
    await temp[Symbol.asyncDispose]();
    expect(await readiness.report()).toMatchObject({
      isReady: false,
      parts: { disk: "failed", store: "ok", audit: "failed", eventLoop: "ok" },
    });
    expect(lines.join("\n")).toContain("disk, audit");
    clock.advance(1_000);
    expect((await readiness.report()).isReady).toBe(false);
  });
});
