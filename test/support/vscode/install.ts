import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

/** VS Code 1.139.1, packaged by code-server; the version the end-to-end tests are written for. */
const newestRelease = "4.139.1";

/**
 * The oldest VS Code that the extension says it runs in: the first release of code-server with the version
 * that `engines` of its manifest names.
 */
export const FLOOR_RELEASE = "4.105.1";

/** What `RPORT_TEST_CODE_SERVER` says for {@link FLOOR_RELEASE}. */
const FLOOR = "floor";

/**
 * Dependencies of VS Code that its server never loads in a test: native, large, or for desktops.
 */
const unneededDependencies = [
  "@devcontainers/cli",
  "@github/copilot-sdk",
  "@microsoft/mxc-sdk",
  "@vscode/fs-copyfile",
  "@vscode/sqlite3",
  "@vscode/windows-process-tree",
  "@vscode/windows-registry",
  "kerberos",
  "ssh2",
];

/** Built-in extensions that draw, ask or start something of their own. */
const unneededExtensions = [
  "copilot",
  "github",
  "github-authentication",
  "ipynb",
  "mermaid-chat-features",
  "mermaid-markdown-features",
  "microsoft-authentication",
  "ms-vscode.js-debug",
  "ms-vscode.js-debug-companion",
  "ms-vscode.vscode-js-profile-table",
  "notebook-renderers",
  "php-language-features",
  "simple-browser",
  "tunnel-forwarding",
  "typescript-language-features",
];

/** Flags that only some versions know. */
const optionalFlags = ["reconnection-grace-time"];

/** Compilers and npm are talkative: 64 MiB of output. */
const maxOutputBytes = 64 * 1024 * 1024;

/** A VS Code server on this machine, ready to be started. */
export type VsCode = {
  /** The Node that it wants. */
  readonly node: string;
  /** The script to start with it. */
  readonly entry: string;
  /** Version of VS Code itself, such as 1.139.1. */
  readonly version: string;
  /** Which of the flags that not every version has it knows, without dashes. */
  readonly flags: readonly string[];
};

const recordSchema = z.object({
  nodeMajor: z.string(),
  version: z.string(),
  flags: z.array(z.string()),
});

const packageSchema = z.looseObject({
  version: z.string(),
  engines: z.object({ node: z.string() }).optional(),
  dependencies: z.record(z.string(), z.string()),
});

type Environment = Readonly<Record<string, string | undefined>>;

const execute = promisify(execFile);

async function npm(cwd: string, env: Environment, args: readonly string[]): Promise<void> {
  const quiet = { npm_config_audit: "false", npm_config_fund: "false", npm_config_yes: "true" };
  await execute("npm", [...args], { cwd, env: { ...env, ...quiet }, maxBuffer: maxOutputBytes });
}

async function emptyProject(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "private": true }\n');
}

async function readPackage(folder: string) {
  return packageSchema.parse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
}

/** Folder of a Node of this major version with its C headers: the running one, or one from npm. */
async function nodeFolder(cache: string, major: string): Promise<string> {
  const running = dirname(dirname(process.execPath));
  const isRunning = process.versions.node.split(".")[0] === major;
  if (isRunning && existsSync(join(running, "include", "node"))) return running;
  const name = `node-linux-${process.arch}`;
  const project = join(cache, `node-${major}`);
  const folder = join(project, "node_modules", name);
  if (existsSync(join(folder, "bin", "node"))) return folder;
  await emptyProject(project);
  await npm(project, process.env, ["install", `${name}@${major}`, "--ignore-scripts"]);
  return folder;
}

/** Installs VS Code's own dependencies, less those that a test server does without. */
async function installDependencies(code: string, env: Environment): Promise<void> {
  const manifest = await readPackage(code);
  const kept = Object.entries(manifest.dependencies)
    .filter(([name]) => !unneededDependencies.includes(name))
    // some releases name a source host; npm has the same package
    .map(([name, range]) => [name, /#|^http/.test(range) ? "*" : range]);
  const trimmed = { ...manifest, dependencies: Object.fromEntries(kept) };
  await writeFile(join(code, "package.json"), JSON.stringify(trimmed));
  await rm(join(code, "npm-shrinkwrap.json"), { force: true });
  await npm(code, env, ["install", "--omit=dev", "--ignore-scripts"]);
}

/** Compiles the native modules that come without a build for this machine. */
async function buildNativeModules(folder: string, code: string, env: Environment): Promise<void> {
  const building = { ...env, npm_config_ignore_scripts: "false" };
  const target = `linux-${process.arch}`;
  const wanted = ["@vscode/spdlog", "@vscode/native-watchdog", "native-watchdog"].filter((name) =>
    existsSync(join(code, "node_modules", name)),
  );
  const hasTerminal = existsSync(join(code, "node_modules/node-pty/prebuilds", target));
  await npm(code, building, ["rebuild", ...wanted, ...(hasTerminal ? [] : ["node-pty"])]);
  if (existsSync(join(folder, "node_modules/argon2/prebuilds"))) return;
  await npm(folder, building, ["rebuild", "argon2"]);
}

const serverPackage = (folder: string) => join(folder, "node_modules", "code-server");
const entryOf = (folder: string) => join(serverPackage(folder), "out", "node", "entry.js");

async function knownFlags(node: string, folder: string): Promise<string[]> {
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder };
  const { stdout } = await execute(node, [entryOf(folder), "--help"], { env });
  return optionalFlags.filter((flag) => stdout.includes(`--${flag} `));
}

async function installInto(folder: string, cache: string, release: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await emptyProject(folder);
  // without its own install script, which compiles what no test needs
  await npm(folder, process.env, ["install", `code-server@${release}`, "--ignore-scripts"]);
  const manifest = await readPackage(serverPackage(folder));
  const nodeMajor = /\d+/.exec(manifest.engines?.node ?? "")?.[0];
  if (nodeMajor === undefined) throw new Error(`code-server ${release} names no Node version`);

  const node = await nodeFolder(cache, nodeMajor);
  const path = `${join(node, "bin")}:${process.env.PATH}`;
  const env = { ...process.env, PATH: path, npm_config_nodedir: node };
  const code = join(serverPackage(folder), "lib", "vscode");
  await installDependencies(code, env);
  await buildNativeModules(folder, code, env);
  for (const name of unneededExtensions) {
    await rm(join(code, "extensions", name), { recursive: true, force: true });
  }
  const flags = await knownFlags(join(node, "bin", "node"), folder);
  const { version } = await readPackage(code);
  const record: z.infer<typeof recordSchema> = { nodeMajor, version, flags };
  await writeFile(join(folder, "install.json"), JSON.stringify(record));
}

/** The cache folder that all checkouts of this user share; `RPORT_TEST_CACHE` moves it. */
export function testCache(): string {
  return process.env.RPORT_TEST_CACHE ?? join(homedir(), ".cache", "rport-tests");
}

/** The release that tests run on: what `RPORT_TEST_CODE_SERVER` says, a version or "floor", or the newest. */
function chosenRelease(): string {
  const asked = process.env.RPORT_TEST_CODE_SERVER ?? newestRelease;
  return asked === FLOOR ? FLOOR_RELEASE : asked;
}

/**
 * A VS Code server, installed from npm at the first call (about a minute) and found in the cache
 * later. Needs Linux, g++, make and python3; rejects with npm's output when something is missing.
 *
 * @param release version of code-server; `RPORT_TEST_CODE_SERVER` changes the default
 */
export async function ensureVsCode(release = chosenRelease()): Promise<VsCode> {
  const cache = testCache();
  const home = join(cache, `code-server-${release}-${process.arch}`);
  const recordFile = join(home, "install.json");
  if (!existsSync(recordFile)) {
    // complete or absent: a second installer at the same time, or a killed one, does no harm
    const folder = `${home}.${process.pid}`;
    await installInto(folder, cache, release);
    await rename(folder, home).catch(() => rm(folder, { recursive: true, force: true }));
  }
  const { nodeMajor, version, flags } = recordSchema.parse(
    JSON.parse(await readFile(recordFile, "utf8")),
  );
  const node = join(await nodeFolder(cache, nodeMajor), "bin", "node");
  return { node, entry: entryOf(home), version, flags };
}
