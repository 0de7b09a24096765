// Which commit passed all tests on this machine: `.ci/run` writes it down, a release asks.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../command.mjs";
import { root } from "../paths.mjs";

const fileIn = (folder) => join(folder, ".cache", "green-commit");

/**
 * The commit that is exactly what lies in a checkout, or undefined: something is not committed, or
 * this is no checkout of git.
 */
export async function cleanCommit(folder = root) {
  const git = (...args) => run("git", args, { quiet: true, cwd: folder });
  const [head, status] = [await git("rev-parse", "HEAD"), await git("status", "--porcelain")];
  if (head.code !== 0 || status.code !== 0 || status.output.trim() !== "") return undefined;
  return head.output.trim();
}

/** Writes down that this commit passed everything. */
export function recordGreen(commit, folder = root) {
  mkdirSync(dirname(fileIn(folder)), { recursive: true });
  writeFileSync(fileIn(folder), `${commit}\n`);
}

/** Whether that was written down. */
export function isGreen(commit, folder = root) {
  const file = fileIn(folder);
  return existsSync(file) && readFileSync(file, "utf8").trim() === commit;
}
