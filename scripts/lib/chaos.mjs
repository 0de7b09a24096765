// The run of faults, in a process group of its own, so that nothing of it outlives it.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectNode } from "./install.mjs";
import { root } from "./paths.mjs";
import { single, skipped } from "./stage.mjs";

const SCRIPT = join(root, "test", "chaos", "main.ts");
/** Signals that end the run; it unmounts and removes what it has made. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs faults with these arguments, and resolves with the exit code.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export function runChaos(args) {
  const child = spawn(projectNode().node, [SCRIPT, ...args], { stdio: "inherit", detached: true });
  const pass = (signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, pass);
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("exit", (code) => {
      for (const signal of SIGNALS) process.off(signal, pass);
      killGroup(child.pid);
      resolve(code ?? 1);
    });
  });
}

/**
 * The short form as a stage of `npm test`: each fault is a test. Whether a fault can be made (a disk in a file, a
 * network of one's own) is decided by the machine.
 */
export async function runChaosStage() {
  if (process.platform !== "linux") return skipped("faults are made with means of Linux only");
  return { ...(await runShort()), dependsOnMachine: true };
}

async function runShort() {
  const folder = mkdtempSync(join(tmpdir(), "rport-chaos-"));
  try {
    const report = join(folder, "report.json");
    await runChaos(["--short", "--report", report]);
    return existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : single(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody of the group is left.
  }
}
