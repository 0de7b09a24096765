// Executables of the agent: its bundle, and Bun for the machine that is to run it.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.mjs";
import { signedAdHoc } from "./machOSignature.mjs";
import { runtimeOf } from "./runtimes.mjs";
import { executableOf, hostTarget } from "./targets.mjs";

/**
 * Bun would otherwise read a `.env` or `bunfig.toml` of the directory in which a service of root
 * happens to start. Compiled bytecode saves 2 MB of every host's memory, and starts faster.
 */
const flags = [
  "--compile",
  "--bytecode",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
];

/** Whether this machine can build for a target: it needs a Bun that runs here, and that of the target. */
export const canCompile = (target) =>
  [hostTarget(), target].every((one) => one !== undefined && runtimeOf(one) !== undefined);

/**
 * Builds the executable for a target from a bundle in a directory, beside it. Names are relative:
 * Bun writes them into the file, which is to be the same wherever it is built.
 *
 * @returns {Promise<string>} the name of the file
 */
export async function compileAgent(directory, bundle, target) {
  const name = executableOf(target);
  const runtime = `--compile-executable-path=${runtimeOf(target)}`;
  const args = ["build", ...flags, `--target=bun-${target}`, runtime, `--outfile=${name}`, bundle];
  const { code, output } = await run(runtimeOf(hostTarget()), args, {
    quiet: true,
    cwd: directory,
  });
  if (code !== 0) throw new Error(`bun build for ${target} failed:\n${output}`);
  const file = join(directory, name);
  if (target.startsWith("darwin-")) writeFileSync(file, signedAdHoc(readFileSync(file), name));
  chmodSync(file, 0o755);
  return name;
}
