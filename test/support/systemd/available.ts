import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const TOOLS = ["debootstrap", "unshare", "nsenter", "setpriv", "pivot_root"];

/** Mounts are what containers without privileges refuse; this asks the kernel itself. */
const PROBE = ["--mount", "--pid", "--cgroup", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];

/**
 * Why this machine cannot boot a test system, as a sentence for `ctx.skip`, or `undefined` when it
 * can. On CI nothing may be skipped in silence: with `CI=true` the reason is thrown instead.
 */
export function whyNoSystemd(): string | undefined {
  const reason = findObstacle();
  if (reason !== undefined && process.env.CI === "true") {
    throw new Error(`CI has to run the systemd tests, but ${reason}`);
  }
  return reason;
}

function findObstacle(): string | undefined {
  if (process.platform !== "linux") return "namespaces exist on Linux only";
  if (process.getuid?.() !== 0) return "booting a test system needs root";
  const missing = TOOLS.filter((tool) => !isInstalled(tool));
  if (missing.length > 0) return `these tools are missing: ${missing.join(", ")}`;
  const probe = spawnSync("unshare", PROBE, { encoding: "utf8" });
  if (probe.status !== 0) return `the kernel refuses new namespaces: ${probe.stderr.trim()}`;
  return undefined;
}

function isInstalled(tool: string): boolean {
  return searchPath().some((directory) => isExecutable(join(directory, tool)));
}

/** Directories of PATH; the sbin ones are often missing there although root needs them. */
function searchPath(): string[] {
  return [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
