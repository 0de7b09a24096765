import { lineOf } from "../posix/shells.ts";
import type { Processes, ProcessFacts } from "../processes.ts";
import { SYSTEM_PROGRAMS } from "../programs.ts";

/** Its group, the group in front, its terminal and when it began. */
const LINE = /^\s*(\d+)\s+(-?\d+)\s+(tty\S+)\s+(\S.*\S)\s*$/;

/** Processes of macOS. `ps` tells no session there, but the terminal, which belongs to one alone. */
export const MACOS_PROCESSES: Processes = {
  async at(pid) {
    const words = ["ps", "-o", "pgid=,tpgid=,tty=,lstart=", "-p", String(pid)] as const;
    // One that cannot be looked up now is as one that is gone.
    return parsedProcess((await lineOf(SYSTEM_PROGRAMS, words).catch(() => undefined)) ?? "");
  },

  async inGroup(group) {
    const asked = SYSTEM_PROGRAMS.run("ps", ["-A", "-o", "pid=,pgid="]);
    const { stdout } = await asked.catch(() => ({ stdout: "" }));
    const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
    return rows.flatMap(([pid = 0, its]) => (its === group ? [pid] : []));
  },
};

/** What a line of `ps` says; undefined: it is none, or its process has no terminal. */
export function parsedProcess(line: string): ProcessFacts | undefined {
  const [, group, front, session = "", startedAt = ""] = LINE.exec(line) ?? [];
  if (group === undefined) return undefined;
  const inFront = Number(front);
  return {
    group: Number(group),
    session,
    front: inFront > 1 ? inFront : undefined,
    startedAt,
  };
}
