// The files of a release, gathered from where they were built.
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pins } from "../agent/targets.mjs";
import { systemPath } from "../paths.mjs";
import { releaseNotes } from "./changelog.mjs";
import { sbomFile, sbomOf } from "./sbom.mjs";
import { distinct, librariesIn, licencesText, packagesIn } from "./shipped.mjs";
import { sumsFile, sumsOf } from "./sums.mjs";

/** The licences of everything in a release. */
export const licencesFile = "LICENSES.txt";
/** What is told of it. */
export const notesFile = "RELEASE-NOTES.txt";

const NOTICES = "THIRD-PARTY-NOTICES.txt";

/** The extension's bundles; the last one is a package of its own, too. */
const BRIDGE = "extension/dist/bridge";
const EXTENSION = ["extension/dist", "extension/dist/webview", BRIDGE];

/** Our programs, and the notices beside each of their bundles; a bundle of ours alone has none. */
const PARTS = [
  { name: "rport", hasBun: false, folders: EXTENSION },
  { name: "rport-agent", hasBun: true, folders: ["dist/agent"] },
  { name: "rport-bridge", hasBun: false, folders: [BRIDGE] },
  { name: "rport-backend", hasBun: false, folders: ["dist/npm/rport-backend/lib"] },
];

/** What npm fetches beside the server where it is wanted: nothing of it is in the package. */
const BACKEND_MANIFEST = "dist/npm/rport-backend/package.json";

/** What is in each of our programs. */
function partsIn(staging) {
  return PARTS.map(({ name, hasBun, folders }) => {
    const files = folders.map((folder) => join(folder, NOTICES));
    const present = files.filter((file) => existsSync(staging.path(file)));
    return {
      name,
      hasBun,
      packages: distinct(present.flatMap((file) => packagesIn(staging.read(file)))),
    };
  });
}

async function listedByNpm(staging) {
  const args = ["sbom", "--sbom-format=cyclonedx", "--package-lock-only", "--loglevel=error"];
  return JSON.parse(await staging.run("npm", args, { PATH: systemPath }));
}

/** The agent's files as a backend serves them: each program packed, the rest as it is. */
function agentFileNames({ files, scripts }) {
  const programs = files.flatMap(({ name, packed }) =>
    packed.length > 0 && name !== "agent.cjs" ? packed.map((one) => one.name) : [name],
  );
  return ["manifest.json", ...programs, ...Object.values(scripts).map(({ name }) => name)];
}

/** The manifest of the agent's files that were built. */
export const agentManifest = (staging) => JSON.parse(staging.read("dist/agent/manifest.json"));

async function writeTexts(staging, folder, { version, timeS }) {
  const parts = partsIn(staging);
  const packages = distinct(parts.flatMap((part) => part.packages));
  const bunText = staging.read("scripts/lib/bunNotices.txt");
  const bun = { version: pins.version, libraries: librariesIn(bunText) };
  const { optionalDependencies = {} } = JSON.parse(staging.read(BACKEND_MANIFEST));
  const fetched = Object.entries(optionalDependencies).map(([name, one]) => ({
    name,
    version: one,
  }));
  const release = { version, timeS, parts, packages, bun, fetched };
  const sbom = sbomOf(await listedByNpm(staging), release);
  const licences = licencesText({ own: staging.read("LICENSE"), packages, bun: bunText });
  const notes = releaseNotes(staging.read("CHANGELOG.md"), version);
  const write = (name, text) => writeFileSync(join(folder, name), text);
  write(sbomFile, `${JSON.stringify(sbom, null, 2)}\n`);
  write(licencesFile, licences);
  write(notesFile, notes);
}

/**
 * Puts the files of a release into a folder, in the place of what was there.
 *
 * @param {Staging} staging where everything is built
 * @param {string} folder
 * @param {{ version: string, timeS: number }} plan
 * @param {readonly string[]} tarballs paths of npm packages
 */
export async function gather(staging, folder, { version, timeS, tarballs = [] }) {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const take = (from) => copyFileSync(from, join(partial, from.slice(dirname(from).length + 1)));
  take(staging.path("dist", `rport-${version}.vsix`));
  for (const name of agentFileNames(agentManifest(staging)))
    take(staging.path("dist", "agent", name));
  for (const tarball of tarballs) take(tarball);
  await writeTexts(staging, partial, { version, timeS });
  writeFileSync(join(partial, sumsFile), sumsOf(partial));
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
}
