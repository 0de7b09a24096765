import { expect, it, vi } from "vitest";
import { MACOS_PROCESSES } from "../../../../agent/src/machine/macos/processes.ts";
import { SYSTEM_PROGRAMS } from "../../../../agent/src/machine/programs.ts";

it("processes of macOS that cannot be looked up now are as if there were none", async () => {
  using run = vi
    .spyOn(SYSTEM_PROGRAMS, "run")
    .mockRejectedValue(new Error("no descriptor is left"));
  expect(await MACOS_PROCESSES.inGroup(7)).toEqual([]);
  expect(await MACOS_PROCESSES.at(7)).toBeUndefined();
  expect(run).toHaveBeenCalledTimes(2);
});
