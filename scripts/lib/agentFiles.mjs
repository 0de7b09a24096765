// The files that installers fetch: the agent for each target, the scripts with their hashes in them,
// the licences of what is in them, and a manifest for the backend that serves all of this.
import { createHash } from "node:crypto";
import { appendFileSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canCompile, compileAgent } from "./agent/compile.mjs";
import { packFile } from "./agent/packing.mjs";
import { forgetOldPieces } from "./agent/pieces.mjs";
import { shellInstaller, shellInstallerName, shellLine } from "./agent/shellInstaller.mjs";
import { targets, usualTarget } from "./agent/targets.mjs";
import { bunNotices, noticesFile } from "./notices.mjs";
import { root } from "./paths.mjs";
import { powershellInstaller, powershellInstallerName } from "./powershellInstaller.mjs";

const usual = join(root, "dist", "agent");
const bundle = "agent.cjs";
const manifestName = "manifest.json";
const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;

function describe(out, target, name) {
  const bytes = readFileSync(join(out, name));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { target, name, size: bytes.length, sha256, packed: [] };
}

/** Describes a file that hosts fetch, and packs it. */
async function offer(out, target, name) {
  return { ...describe(out, target, name), packed: await packFile(out, target, name) };
}

/** What PowerShell's script installs, and the one for shells does not. */
const isForWindows = ({ target }) => target.startsWith("windows-");

/** What stands in PowerShell's script: in the end the name of the copy that every .NET can unpack. */
function windowsLine({ target, size, sha256, name, packed }) {
  const gzip = packed.find(({ encoding }) => encoding === "gzip");
  return [target, size, sha256, name, ...(gzip === undefined ? [] : [gzip.name])].join(" ");
}

/** The scripts that install these files; the one for Windows only where there is one of its own. */
function writeScripts(out, files) {
  const sh = writeShellScript(out, files);
  return files.some(isForWindows) ? { sh, ps1: writePowershellScript(out, files) } : { sh };
}

function writeShellScript(out, files) {
  return writeScript(out, shellInstallerName, shellInstaller(version, files));
}

function writePowershellScript(out, files) {
  const lines = files.filter(isForWindows).map(windowsLine);
  return writeScript(out, powershellInstallerName, powershellInstaller(version, lines));
}

/** Writes the text of a script and describes it. */
function writeScript(out, name, text) {
  writeFileSync(join(out, name), text);
  const { sha256 } = describe(out, "script", name);
  return { name, sha256 };
}

function describeLicences(out, hasExecutables) {
  if (hasExecutables) appendFileSync(join(out, noticesFile), `\n${bunNotices()}`);
  return readdirSync(out)
    .filter((file) => file === noticesFile || file.endsWith(".LICENSE.txt"))
    .map((file) => describe(out, "licences", file));
}

/**
 * Builds what installers fetch from the agent's bundle, which is in the directory already and
 * beside which everything is put: an executable for each of these targets whose Bun is at hand. A
 * program of a machine that none is for is the bundle, run by Node.
 */
export async function buildAgentFiles(out = usual, wanted = [usualTarget]) {
  const files = [];
  for (const target of wanted.filter(canCompile)) {
    files.push(await offer(out, target, await compileAgent(out, bundle, target)));
  }
  files.push(await offer(out, "node", bundle));
  forgetOldPieces();
  const scripts = writeScripts(out, files);
  const missing = targets.filter((target) => files.every((file) => file.target !== target));
  const licences = describeLicences(out, files.length > 1);
  writeManifest(out, { version, scripts, files: [...files, ...licences], missing });
}

/** The manifest of the files that `npm run package` has built. */
export const builtManifest = () => JSON.parse(readFileSync(join(usual, manifestName), "utf8"));

/**
 * Puts a release without executables into a directory: executables come from packages of their own,
 * for Windows, too, and the backend adds them to both scripts.
 */
export function copyBundleRelease(out) {
  const isCommon = ({ target }) => target === "node" || target === "licences";
  const files = builtManifest().files.filter(isCommon);
  for (const { name, packed } of files) copyBuilt(out, [name, ...packed.map((one) => one.name)]);
  const installed = files.filter(({ target }) => target === "node");
  const sh = writeShellScript(out, installed);
  const scripts = { sh, ps1: writePowershellScript(out, installed) };
  writeManifest(out, { version, scripts, files, missing: targets });
}

/** Puts an executable that was built into a directory, as its packed copies and what describes them. */
export function copyExecutable(out, target) {
  const file = builtManifest().files.find((one) => one.target === target);
  const isWindows = isForWindows(file);
  const line = isWindows ? windowsLine(file) : shellLine(file);
  copyBuilt(out, [...file.packed.map(({ name }) => name), noticesFile]);
  writeManifest(out, { version, file, script: isWindows ? "ps1" : "sh", line });
}

function copyBuilt(out, names) {
  for (const name of names) copyFileSync(join(usual, name), join(out, name));
}

function writeManifest(out, manifest) {
  writeFileSync(join(out, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
}
