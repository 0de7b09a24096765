// The machines that the agent can be an executable for, by the names that installers use.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../paths.mjs";

/** Bun's version and, for each target, the integrity of its npm package; checked after a fetch. */
export const pins = JSON.parse(
  readFileSync(join(root, "scripts", "lib", "agent", "bunPackages.json"), "utf8"),
);

/** All of them. Bun's own names are the same but for one word in those of its packages. */
export const targets = Object.keys(pins.integrity);

/** What `npm ci` brings along, so what every build has. */
export const usualTarget = "linux-x64";

const isWindows = (target) => target.startsWith("windows-");

/** The npm package that has Bun for a target. */
export const packageOf = (target) => `@oven/bun-${target.replace("arm64", "aarch64")}`;

/** The name of Bun's program in that package. */
export const programOf = (target) => (isWindows(target) ? "bun.exe" : "bun");

/** The name of the agent's executable. */
export const executableOf = (target) => `rport-agent-${target}${isWindows(target) ? ".exe" : ""}`;

/**
 * The targets that words on a command line mean: names of them, or `all`.
 *
 * @returns {string[]} throws for a word that is neither
 */
export function targetsOf(words) {
  const unknown = words.find((word) => word !== "all" && !targets.includes(word));
  if (unknown !== undefined) {
    throw new Error(`There is no target "${unknown}". There are: ${targets.join(", ")}, all.`);
  }
  return words.includes("all") ? targets : targets.filter((target) => words.includes(target));
}

/** The target that this machine is, or undefined. */
export function hostTarget() {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const isMusl = system === "linux" && !process.report.getReport().header.glibcVersionRuntime;
  const name = `${system}-${process.arch}${isMusl ? "-musl" : ""}`;
  return targets.find((target) => target === name);
}
