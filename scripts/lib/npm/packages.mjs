// The npm packages of a release: the server, the program of the editor's users, and the agent's executable for each machine.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtManifest } from "../agentFiles.mjs";
import { ensureBuilt, hashOf, sources } from "../build.mjs";
import { run } from "../command.mjs";
import { root, systemPath } from "../paths.mjs";
import { writeAgentPackage } from "./agentPackage.mjs";
import { writeBackendPackage } from "./backendPackage.mjs";
import { writeBridgePackage } from "./bridgePackage.mjs";
import { agentPackageOf } from "./manifest.mjs";

/** Where the packages are put together, and where `npm run package -- --npm` leaves their archives. */
export const npmFolder = join(root, "dist", "npm");

const hashFile = join(npmFolder, ".build-hash");
/** What the packages depend on. */
const packed = [...sources, "packaging", "LICENSE"];

const isArchive = (name) => name.endsWith(".tgz");

async function pack(source, folder) {
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const { code, output } = await run("npm", args, {
    quiet: true,
    cwd: source,
    env: { PATH: systemPath },
  });
  if (code !== 0) throw new Error(`npm pack failed in ${source}:\n${output}`);
  const [{ filename }] = JSON.parse(output);
  return filename;
}

/** The targets that there is an executable for; an agent that Node runs is part of the server. */
function builtExecutables() {
  const targets = builtManifest().files.map(({ target }) => target);
  return targets.filter((target) => target !== "node" && target !== "licences");
}

/**
 * Packs everything that npm is to have into a folder: `rport-backend`, `rport-bridge`, and
 * `rport-agent-TARGET` for each executable that is built; those asked for are built first. Same sources, same bytes.
 *
 * @param {string} folder made when it is missing
 * @param {readonly string[]} asked targets
 * @returns {Promise<string[]>} the names of the archives in the folder, `rport-backend`'s first
 */
export async function packNpm(folder, asked = []) {
  await ensureBuilt(asked);
  rmSync(npmFolder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packages = [await writeBackendPackage(join(npmFolder, "rport-backend"))];
  packages.push(writeBridgePackage(join(npmFolder, "rport-bridge")));
  for (const target of builtExecutables()) {
    packages.push(writeAgentPackage(join(npmFolder, agentPackageOf(target)), target));
  }
  const names = [];
  for (const source of packages) names.push(await pack(source, folder));
  return names;
}

/**
 * The same into `npmFolder`, unless the archives there are those of these sources.
 *
 * @returns {Promise<string[]>} the names of the archives
 */
export async function ensurePacked(asked = []) {
  await ensureBuilt(asked);
  const hash = hashOf(packed);
  const all = [hash, ...builtExecutables()].join(" ");
  if (existsSync(hashFile) && readFileSync(hashFile, "utf8") === all) {
    return readdirSync(npmFolder).filter(isArchive);
  }
  const names = await packNpm(npmFolder);
  writeFileSync(hashFile, all);
  return names;
}
