import { deferred } from "@rport/protocol/wire/deferred";
import { expect, it, vi } from "vitest";
import { ProcessGroups } from "../../../../agent/src/terminal/processGroups.ts";

it("any number of signals asks once at a time who is in front, and equal ones are one", async () => {
  const kill = vi.spyOn(process, "kill").mockReturnValue(true);
  const front = deferred<number>();
  const inFront = vi.fn(() => front.promise);
  const groups = new ProcessGroups(70_001, { inFront });
  const all = Array.from({ length: 1_000 }, () => groups.signalFront("CONT"));
  all.push(groups.signalFront("TERM"));
  expect(inFront).toHaveBeenCalledTimes(1);
  front.resolve(70_002);
  await Promise.all(all);
  expect(kill.mock.calls).toEqual([
    [-70_002, "SIGCONT"],
    [-70_002, "SIGTERM"],
  ]);
  kill.mockRestore();
});
