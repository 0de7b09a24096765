// Everything that is made from the sources: bundles, the agent's files, the extension's package.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { ensureRuntime } from "./agent/runtimes.mjs";
import { targets, usualTarget } from "./agent/targets.mjs";
import { buildAgentFiles } from "./agentFiles.mjs";
import { run } from "./command.mjs";
import { writeExtensionBackend } from "./extensionBackend.mjs";
import { extensionPage, writeExtensionPage } from "./extensionPage.mjs";
import { projectNode } from "./install.mjs";
import { root } from "./paths.mjs";

const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
const dist = join(root, "dist");
const hashFile = join(dist, ".build-hash");
const agentHashFile = join(dist, ".agent-hash");

/** The extension's package, ready for "Install from VSIX". */
export const vsixFile = join(dist, `rport-${version}.vsix`);

/** What the agent's files depend on. They take longest, so they are made anew only when one of these changes. */
const agentSources = [
  "agent/src",
  "backend/protocol/src",
  "backend/protocol/stubs",
  "installers",
  "scripts/lib",
  "package.json",
  "package-lock.json",
  "webpack.config.mjs",
];

/** What the built files depend on. */
export const sources = [
  ...agentSources,
  "backend/src",
  "extension",
  "webview-ui/src",
  "packaging/npm/launcher",
];

const isSource = (entry) => entry.isFile() && !/[\\/]extension[\\/]dist/.test(entry.parentPath);

function filesBelow(path) {
  const full = join(root, path);
  if (statSync(full).isFile()) return [full];
  const entries = readdirSync(full, { recursive: true, withFileTypes: true });
  return entries.filter(isSource).map((entry) => join(entry.parentPath, entry.name));
}

/** Changes with any file that these are or hold; from the root of the checkout. */
export function hashOf(paths) {
  const hash = createHash("sha256");
  for (const file of paths.flatMap(filesBelow).sort()) {
    hash.update(relative(root, file)).update("\0").update(readFileSync(file));
  }
  return hash.digest("hex");
}

async function tool(entry, args, cwd = root) {
  const program = join(root, "node_modules", entry);
  const { code, output } = await run(projectNode().node, [program, ...args], { quiet: true, cwd });
  if (code !== 0) throw new Error(`${entry} failed:\n${output}`);
}

/** Makes bundles, by their names in the configuration of webpack. */
export async function bundle(...names) {
  const config = ["--config", join(root, "webpack.config.mjs")];
  const chosen = names.flatMap((name) => ["--config-name", name]);
  await tool("webpack-cli/bin/cli.js", [...config, ...chosen]);
}

async function packageExtension() {
  const page = ["--readme-path", extensionPage];
  const args = ["package", "--no-dependencies", "--out", vsixFile, ...page];
  await tool("@vscode/vsce/vsce", args, join(root, "extension"));
}

/** The targets that are built already. Who fetched one more keeps it, whatever is built later. */
export function builtTargets() {
  const manifest = join(dist, "agent", "manifest.json");
  if (!existsSync(manifest)) return [];
  const { files } = JSON.parse(readFileSync(manifest, "utf8"));
  return files.map(({ target }) => target);
}

async function buildAgent(wanted) {
  const hash = [hashOf(agentSources), ...wanted].join(" ");
  const isBuilt = existsSync(agentHashFile) && readFileSync(agentHashFile, "utf8") === hash;
  if (isBuilt && builtTargets().length > 0) return;
  rmSync(agentHashFile, { force: true });
  rmSync(join(dist, "agent"), { recursive: true, force: true });
  await bundle("agent");
  await buildAgentFiles(undefined, wanted);
  writeFileSync(agentHashFile, hash);
}

async function build(wanted) {
  mkdirSync(dist, { recursive: true });
  await buildAgent(wanted);
  await bundle("extension", "bridge", "webview", "backend");
  writeExtensionBackend();
  writeExtensionPage();
  await packageExtension();
}

/**
 * Builds whatever is missing or older than its sources. Executables for more targets than the usual
 * one are built when they are asked for, which fetches what they need, and from then on.
 *
 * @param {readonly string[]} asked targets
 * @returns {Promise<"present" | "built">} rejects with the tool's output when one fails
 */
export async function ensureBuilt(asked = []) {
  const hash = hashOf(sources);
  const built = builtTargets();
  const isBuilt = existsSync(hashFile) && readFileSync(hashFile, "utf8") === hash;
  const isComplete = asked.every((target) => built.includes(target));
  if (isBuilt && isComplete && existsSync(vsixFile)) return "present";
  for (const target of asked) await ensureRuntime(target);
  const isWanted = (target) => [usualTarget, ...asked, ...built].includes(target);
  await build(targets.filter(isWanted));
  writeFileSync(hashFile, hash);
  return "built";
}
