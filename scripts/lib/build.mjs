// Everything that is made from the sources: bundles, the agent's files, the extension's package.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { buildAgentFiles } from "./agentFiles.mjs";
import { run } from "./command.mjs";
import { projectNode } from "./install.mjs";
import { root } from "./paths.mjs";

const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
const dist = join(root, "dist");
const hashFile = join(dist, ".build-hash");

/** The extension's package, ready for "Install from VSIX". */
export const vsixFile = join(dist, `rport-${version}.vsix`);

/** What the built files depend on. */
const sources = [
  "agent/src",
  "backend/protocol/src",
  "backend/protocol/stubs",
  "extension",
  "webview-ui/src",
  "installers",
  "scripts/lib",
  "package.json",
  "package-lock.json",
  "webpack.config.mjs",
];

const isSource = (entry) => entry.isFile() && !/[\\/]extension[\\/]dist/.test(entry.parentPath);

function filesBelow(path) {
  const full = join(root, path);
  if (/\.(json|mjs)$/.test(path)) return [full];
  const entries = readdirSync(full, { recursive: true, withFileTypes: true });
  return entries.filter(isSource).map((entry) => join(entry.parentPath, entry.name));
}

function sourceHash() {
  const hash = createHash("sha256");
  for (const file of sources.flatMap(filesBelow).sort()) {
    hash.update(relative(root, file)).update("\0").update(readFileSync(file));
  }
  return hash.digest("hex");
}

async function tool(entry, args, cwd = root) {
  const program = join(root, "node_modules", entry);
  const { code, output } = await run(projectNode().node, [program, ...args], { quiet: true, cwd });
  if (code !== 0) throw new Error(`${entry} failed:\n${output}`);
}

async function packageExtension() {
  const args = ["package", "--no-dependencies", "--out", vsixFile];
  await tool("@vscode/vsce/vsce", args, join(root, "extension"));
}

async function build() {
  rmSync(join(dist, "agent"), { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  await tool("webpack-cli/bin/cli.js", ["--config", join(root, "webpack.config.mjs")]);
  await buildAgentFiles();
  await packageExtension();
}

/**
 * Builds whatever is missing or older than its sources.
 *
 * @returns {Promise<"present" | "built">} rejects with the tool's output when one fails
 */
export async function ensureBuilt() {
  const hash = sourceHash();
  const isBuilt = existsSync(hashFile) && readFileSync(hashFile, "utf8") === hash;
  if (isBuilt && existsSync(vsixFile)) return "present";
  await build();
  writeFileSync(hashFile, hash);
  return "built";
}
