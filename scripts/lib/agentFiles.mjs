// The files that installers fetch: the agent for each target, the scripts with their hashes in them,
// the licences of what is in them, and a manifest for the backend that serves all of this.
import { createHash } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canCompile, compileAgent } from "./agent/compile.mjs";
import { packFile } from "./agent/packing.mjs";
import { forgetOldPieces } from "./agent/pieces.mjs";
import { shellInstaller, shellInstallerName } from "./agent/shellInstaller.mjs";
import { targets, usualTarget } from "./agent/targets.mjs";
import { bunNotices, noticesFile } from "./notices.mjs";
import { root } from "./paths.mjs";
import { powershellInstaller, powershellInstallerName } from "./powershellInstaller.mjs";

const usual = join(root, "dist", "agent");
const bundle = "agent.cjs";
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
  const sh = writeScript(out, shellInstallerName, shellInstaller(version, files));
  const forWindows = files.filter(isForWindows).map(windowsLine);
  if (forWindows.length === 0) return { sh };
  const text = powershellInstaller(version, forWindows);
  return { sh, ps1: writeScript(out, powershellInstallerName, text) };
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
  const manifest = { version, scripts, files: [...files, ...licences], missing };
  writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}
