// What a release says in the end: what there is, what is missing, and what is left to do by hand.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const MEGABYTE = 1_000_000;

/** The files of a release, with their sizes. */
function listOf(folder) {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const size = statSync(join(folder, name)).size / MEGABYTE;
      return `  ${size.toFixed(size < 1 ? 3 : 1).padStart(8)} MB  ${name}`;
    });
}

const isPreliminary = (version) => version.includes("-");

/** How the extension is published. The Marketplace takes three numbers and no word behind them. */
const extensionStep = (version, file) =>
  isPreliminary(version)
    ? `give ${file} to those who try it: the Marketplace takes no preliminary versions`
    : `npx vsce publish --packagePath ${file}`;

/** What a maintainer does, who has looked at what was made; agents before the server that needs one. */
function stepsFor({ version, tag }, folder, shown) {
  const names = readdirSync(folder).sort();
  const named = (pattern) =>
    names.filter((name) => pattern.test(name)).map((name) => `${shown}/${name}`);
  const channel = isPreliminary(version) ? " --tag next" : "";
  return [
    `git push origin HEAD ${tag}`,
    ...named(/\.vsix$/).map((file) => extensionStep(version, file)),
    ...named(/\.tgz$/).map((file) => `npm publish${channel} ${file}`),
    `attach the files of ${shown} to the forge's release of ${tag}, unless its workflow does`,
  ];
}

/**
 * The text for the terminal.
 *
 * @param {object} made
 * @param {"dry" | "make" | "remake"} made.kind
 * @param {{ version: string, tag: string }} made.plan
 * @param {string} made.folder where the artefacts are
 * @param {string} made.shown how that is shown
 * @param {readonly string[]} made.missing targets without an executable
 */
export function reportOf({ kind, plan, folder, shown, missing }) {
  const lines = [`${plan.version} in ${shown}:`, ...listOf(folder)];
  if (missing.length > 0) {
    lines.push(`Missing: the agent for ${missing.join(", ")}. Add it: --target NAME|all`);
  }
  if (kind === "dry") lines.push("A dry run: nothing was committed, tagged or published.");
  if (kind === "make") {
    lines.push(`Committed and tagged as ${plan.tag}. Nothing was published; left to do by hand:`);
    lines.push(...stepsFor(plan, folder, shown).map((step) => `  ${step}`));
  }
  return lines.join("\n");
}
