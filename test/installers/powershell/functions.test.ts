import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  ensurePowershell,
  PESTER_MODULE,
  runScript,
  whyNoPowershell,
} from "../../support/powershell/engine.ts";

const INSTALL_MS = 300_000;

const reportSchema = z.object({
  failedContainers: z.number(),
  tests: z.array(z.object({ name: z.string(), result: z.string(), error: z.string() })),
});

const reason = whyNoPowershell();

describe("the functions of install.ps1", () => {
  beforeAll(async () => {
    if (reason === undefined) await ensurePowershell();
  }, INSTALL_MS);

  test("hold what their Pester tests say", async (ctx) => {
    ctx.skip(reason !== undefined, reason);
    const file = join(import.meta.dirname, "runPester.ps1");
    const { stdout, stderr } = await runScript(file, [PESTER_MODULE]);
    expect(stderr).toBe("");
    const { tests, failedContainers } = reportSchema.parse(JSON.parse(stdout));
    expect(tests.filter(({ result }) => result !== "Passed")).toEqual([]);
    expect(failedContainers).toBe(0);
    expect(tests.length).toBeGreaterThan(90);
  });
});
