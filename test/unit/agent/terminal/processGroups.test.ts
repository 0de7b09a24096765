import { deferred } from "@rport/protocol/wire/deferred";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ProcessFacts } from "../../../../agent/src/machine/processes.ts";
import { ProcessGroups } from "../../../../agent/src/terminal/processGroups.ts";

const LEADER = 70_001;
const FRONT = 70_002;

let kill = vi.spyOn(process, "kill");
beforeEach(() => {
  kill = vi.spyOn(process, "kill").mockReturnValue(true);
});
afterEach(() => kill.mockRestore());

/** A shell with a program in front, of which one process is there; tests change what the system says. */
function sessionOf() {
  const shell: ProcessFacts = { group: LEADER, session: "1", front: FRONT, startedAt: "10" };
  const program: ProcessFacts = { group: FRONT, session: "1", front: FRONT, startedAt: "20" };
  const table = new Map([
    [LEADER, shell],
    [70_003, program],
  ]);
  const at = vi.fn((pid: number) => table.get(pid));
  const inGroup = vi.fn(async (group: number) =>
    [...table].filter(([, facts]) => facts.group === group).map(([pid]) => pid),
  );
  const groups = new ProcessGroups(LEADER, { at, inGroup });
  return { shell, program, table, at, inGroup, groups };
}

it("any number of signals asks once at a time who is in front, and equal ones are one", async () => {
  const answer = deferred<ProcessFacts>();
  const at = vi.fn(() => answer.promise);
  const groups = new ProcessGroups(LEADER, { at, inGroup: async () => [] });
  const all = Array.from({ length: 1_000 }, () => groups.signalFront("CONT"));
  all.push(groups.signalFront("TERM"));
  expect(at).toHaveBeenCalledTimes(1);
  answer.resolve({ group: FRONT, session: "1", front: FRONT, startedAt: "10" });
  await Promise.all(all);
  expect(kill.mock.calls).toEqual([
    [-FRONT, "SIGCONT"],
    [-FRONT, "SIGTERM"],
  ]);
});

it("a group whose first process has ended gets signals by another one, looked for once", async () => {
  const { groups, inGroup } = sessionOf();
  await groups.signalFront("INT");
  await groups.signalFront("INT");
  expect(kill.mock.calls).toEqual([
    [-FRONT, "SIGINT"],
    [-FRONT, "SIGINT"],
  ]);
  expect(inGroup).toHaveBeenCalledTimes(1);
});

it("the shell is hung up last, and whoever is stopped goes on", async () => {
  const { groups } = sessionOf();
  await groups.signalAll("HUP");
  expect(kill.mock.calls).toEqual([
    [-FRONT, "SIGHUP"],
    [-FRONT, "SIGCONT"],
    [-LEADER, "SIGHUP"],
    [-LEADER, "SIGCONT"],
  ]);
});

it("a group in front that is another session's by now gets no signal, the shell does", async () => {
  const { groups, program, table } = sessionOf();
  table.delete(70_003);
  table.set(FRONT, { ...program, session: String(FRONT) });
  await groups.signalFront("KILL");
  expect(kill).not.toHaveBeenCalled();
  await groups.signalAll("KILL");
  expect(kill.mock.calls).toEqual([
    [-LEADER, "SIGKILL"],
    [-LEADER, "SIGCONT"],
  ]);
});

it("nobody gets a signal once another process has the shell's number", async () => {
  const { groups, shell, table } = sessionOf();
  table.set(LEADER, { ...shell, startedAt: "30" });
  await groups.signalFront("KILL");
  await groups.signalAll("KILL");
  await groups.signal(LEADER, "KILL");
  expect(await groups.front()).toBeUndefined();
  expect(kill).not.toHaveBeenCalled();
});

it("nobody gets a signal where the system tells nothing", async () => {
  const groups = new ProcessGroups(LEADER, undefined);
  await groups.signalAll("HUP");
  expect(await groups.front()).toBeUndefined();
  expect(kill).not.toHaveBeenCalled();
});
