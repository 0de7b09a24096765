import { expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { STRANGER } from "../../../../backend/src/users/actor.ts";
import { ChangeBudget } from "../../../../backend/src/users/changeBudget.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

it("lets a user change so much in a minute, and keeps nobody else from it", () => {
  const clock = new FakeClock();
  const limits = new Limits({ clock, log: testLog().log, values: { changes_per_user: 60 } });
  const budget = new ChangeBudget({ limits, clock });
  const anna = { ...STRANGER, accountId: "1", name: "anna", scope: "read+write" as const };
  for (let n = 0; n < 60; n += 1) budget.spend(anna);
  expect(() => budget.spend(anna)).toThrow("You have changed a lot within a minute.");
  expect(limits.states().find(({ name }) => name === "changes_per_user")?.bites).toBe(1);
  expect(() => budget.spend({ ...anna, name: "anne" })).toThrow();
  budget.spend({ ...anna, accountId: "2", name: "berta" });
  for (let n = 0; n < 100; n += 1) budget.spend({ ...anna, isAdministrator: true });
  clock.advance(1_000);
  budget.spend(anna);
  expect(() => budget.spend(anna)).toThrow();
});
