// Bun for each target: from node_modules where npm put it, else fetched once from the registry that
// npm is configured for, and taken only when it is the package whose hash this project has.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../command.mjs";
import { root, systemPath } from "../paths.mjs";
import { packageOf, pins, programOf } from "./targets.mjs";

/** What is fetched and made for builds, and can be again. */
export const buildCache = join(root, "node_modules", ".cache", "rport");

const installed = (target) =>
  join(root, "node_modules", packageOf(target), "bin", programOf(target));
const fetched = (target) => join(buildCache, "bun", pins.version, target, programOf(target));

/** The path of Bun for a target, or undefined when it was never fetched. */
export const runtimeOf = (target) => [installed(target), fetched(target)].find(existsSync);

/** Whether bytes have an integrity as npm writes it, by SHA-512. */
export const hasIntegrity = (bytes, integrity) =>
  integrity === `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

async function call(program, args, cwd) {
  const { code, output } = await run(program, args, {
    quiet: true,
    cwd,
    env: { PATH: systemPath },
  });
  if (code !== 0) throw new Error(`${program} ${args[0]} failed:\n${output}`);
}

async function fetchInto(folder, target) {
  const name = `${packageOf(target)}@${pins.version}`;
  await call("npm", ["pack", "--ignore-scripts", "--loglevel=error", name], folder);
  const [archive = ""] = readdirSync(folder);
  if (!hasIntegrity(readFileSync(join(folder, archive)), pins.integrity[target])) {
    throw new Error(`The registry's ${name} is not the package that this project knows.`);
  }
  await call("tar", ["-xzf", archive], folder);
  mkdirSync(dirname(fetched(target)), { recursive: true });
  renameSync(join(folder, "package", "bin", programOf(target)), fetched(target));
}

/**
 * Gets Bun for a target, unless it is there.
 *
 * @returns {Promise<string>} its path; rejects when it cannot be fetched, or is another one
 */
export async function ensureRuntime(target) {
  const found = runtimeOf(target);
  if (found !== undefined) return found;
  mkdirSync(buildCache, { recursive: true });
  const folder = mkdtempSync(join(buildCache, "fetch-"));
  try {
    await fetchInto(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return fetched(target);
}
