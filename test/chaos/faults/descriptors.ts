import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Fault } from "../fault.ts";
import type { Trial } from "../trial.ts";

/** Numbers below are those that the process opened at its start and keeps: none becomes free. */
const LOWEST = 24;

/** The server's process may open nothing more (F-16). */
export const descriptors: Fault = {
  name: "descriptors",
  title: "the server has used up its file descriptors",
  harm: "none",
  lacks: () => (hasPrlimit() ? undefined : "there is no prlimit here"),
  async run(trial: Trial): Promise<void> {
    const { server, sizes } = trial.scene;
    const usual = limitOf(server.pid);
    // A connection that people have is one that is open already.
    await server.api("getStatus");
    setLimit(server.pid, LOWEST, usual);
    try {
      trial.letNewcomersTry();
      await trial.pause(sizes.faultMs);
      const online = await trial.newcomersOnline();
      trial.note("nothing new is taken on", online === 0, `${online} of ${sizes.late} in`);
      await trial.deleteDoomedUnwritten(() => setLimit(server.pid, usual, usual));
    } finally {
      setLimit(server.pid, usual, usual);
    }
  },
};

function hasPrlimit(): boolean {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

/** The hard limit stays, so that the soft one can be raised again. */
function setLimit(pid: number, soft: number, hard: number): void {
  execFileSync("prlimit", ["--pid", String(pid), `--nofile=${soft}:${hard}`], { stdio: "pipe" });
}

function limitOf(pid: number): number {
  const [, hard] =
    /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8")) ?? [];
  return Number(hard);
}
