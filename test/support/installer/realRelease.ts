import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../systemd/process.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const WEBPACK = join(ROOT, "node_modules/webpack-cli/bin/cli.js");
const BUILD_MS = 120_000;

/** The agent's files and the installer, built from the sources as they are now. */
export interface RealRelease extends AsyncDisposable {
  /** What a backend serves; readable for everybody. */
  readonly directory: string;
  readonly script: string;
}

/**
 * Builds a release in a directory of its own, as `npm run package` does; takes a few seconds.
 * `prelude` is JavaScript that the agent runs first, to make a release that differs.
 */
export async function realRelease(prelude = ""): Promise<RealRelease> {
  const directory = await mkdtemp(join(tmpdir(), "rport-release-"));
  await bundleInto(directory, prelude);
  const program = `
    const { buildAgentFiles } = await import("./scripts/lib/agentFiles.mjs");
    await buildAgentFiles(process.argv[1]);`;
  await node(["--input-type=module", "--eval", program, directory]);
  return {
    directory,
    script: join(directory, "rport-installer.sh"),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/**
 * Builds the agent's executable for one machine into a directory; Bun for that is fetched once. The
 * answer is its path.
 */
export async function realExecutable(
  directory: string,
  target: string,
  prelude = "",
): Promise<string> {
  await bundleInto(directory, prelude);
  const program = `
    const { compileAgent } = await import("./scripts/lib/agent/compile.mjs");
    const { ensureRuntime } = await import("./scripts/lib/agent/runtimes.mjs");
    const { executableOf } = await import("./scripts/lib/agent/targets.mjs");
    const [directory, target] = process.argv.slice(1);
    await ensureRuntime(target);
    await compileAgent(directory, "agent.cjs", target);
    process.stdout.write(executableOf(target));`;
  const name = await node(["--input-type=module", "--eval", program, directory, target]);
  return join(directory, name);
}

/** Bundles the agent's sources as they are now into `agent.cjs` of a directory. */
export async function bundleInto(directory: string, prelude = ""): Promise<void> {
  const configuration = ["--config", "webpack.config.mjs", "--config-name", "agent"];
  await node([WEBPACK, ...configuration, "-o", directory]);
  const bundle = join(directory, "agent.cjs");
  await writeFile(bundle, `${prelude}\n${await readFile(bundle, "utf8")}`);
}

async function node(args: readonly string[]): Promise<string> {
  const options = { cwd: ROOT, timeoutMs: BUILD_MS };
  const { code, stdout, stderr } = await run(process.execPath, args, options);
  if (code !== 0) throw new Error(`the release cannot be built: ${stdout}${stderr}`);
  return stdout;
}
