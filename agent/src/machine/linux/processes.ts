import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import type { Processes, ProcessFacts } from "../processes.ts";

/** Where they are in `/proc/PID/stat`, counted behind the name of the program; see proc_pid_stat(5). */
const FIELDS = { group: 2, session: 3, front: 5, startedAt: 19 };

/** Processes of Linux: the kernel tells at once, so that hardly anything happens before a signal. */
export const LINUX_PROCESSES: Processes = {
  at(pid) {
    try {
      return parsed(readFileSync(fileOf(pid), "utf8"));
    } catch {
      return undefined;
    }
  },

  async inGroup(group) {
    const names = await readdir("/proc").catch(() => []);
    const found: number[] = [];
    for (const pid of names.map(Number).filter(Number.isInteger)) {
      const text = await readFile(fileOf(pid), "utf8").catch(() => "");
      if (parsed(text)?.group === group) found.push(pid);
    }
    return found;
  },
};

const fileOf = (pid: number): string => `/proc/${pid}/stat`;

/** The name of a program may hold spaces and brackets. */
function parsed(text: string): ProcessFacts | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const { [FIELDS.session]: session, [FIELDS.startedAt]: startedAt } = fields;
  if (session === undefined || startedAt === undefined) return undefined;
  const front = Number(fields[FIELDS.front]);
  return {
    group: Number(fields[FIELDS.group]),
    session,
    front: front > 1 ? front : undefined,
    startedAt,
  };
}
