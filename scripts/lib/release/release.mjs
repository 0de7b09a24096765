// Makes a release: everything that can fail first, in a folder apart; then the commit and the tag.
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { agentManifest, gather } from "./artefacts.mjs";
import { Checkout } from "./checkout.mjs";
import { isGreen } from "./greenCommit.mjs";
import { planOf } from "./plan.mjs";
import { ReleaseRefused } from "./refused.mjs";
import { reportOf } from "./report.mjs";
import { Staging } from "./staging.mjs";

/**
 * What a release needs of its surroundings.
 *
 * @typedef {object} Doors
 * @property {string} folder the checkout
 * @property {(text: string) => void} print
 * @property {() => number} nowS seconds since 1970
 * @property {() => readonly string[]} builtTargets those of the checkout
 * @property {(staging: Staging, targets: readonly string[]) => Promise<string[]>} build builds everything
 *   in that folder, and answers the paths of the npm packages
 * @property {() => Promise<boolean>} test runs all tests, and records the commit that passed
 */

async function requireClean(checkout) {
  const changes = await checkout.changes();
  if (changes === "") return;
  throw new ReleaseRefused(`Commit, or put away, what is not committed:\n${changes}`);
}

/** All tests have passed on this commit, or do so now. */
async function requireGreen(commit, { folder, print, test }) {
  if (isGreen(commit, folder)) return;
  print("No run of .ci/run is on record for this commit; running it now.");
  if (!(await test())) throw new ReleaseRefused("Not all tests passed, so nothing was made.");
  if (!isGreen(commit, folder)) {
    throw new ReleaseRefused("The checkout is another one than when the tests began.");
  }
}

/** What must hold before anything is built. */
async function requireReady({ checkout, options, plan, head, doors }) {
  if (options.kind === "dry") return;
  await requireClean(checkout);
  if (options.kind === "make" && (await checkout.hasTag(plan.tag))) {
    throw new ReleaseRefused(`There is a tag ${plan.tag} already.`);
  }
  await requireGreen(head.commit, doors);
}

function targetsFor({ kind, targets }, { builtTargets }) {
  return kind === "dry" ? [...new Set([...targets, ...builtTargets()])] : targets;
}

function requireComplete(kind, missing) {
  if (kind === "dry" || missing.length === 0) return;
  throw new ReleaseRefused(`There is no agent for ${missing.join(", ")}, so nothing was made.`);
}

function writeFiles(folder, contents) {
  for (const [file, content] of contents) writeFileSync(join(folder, file), content);
}

/** Writes the release's texts, commits and tags them; what cannot be committed is taken back. */
async function commit(checkout, head, { edits, version, timeS }) {
  await requireClean(checkout);
  if ((await checkout.head()).commit !== head.commit) {
    throw new ReleaseRefused("Another commit was checked out meanwhile.");
  }
  const files = [...edits.keys()];
  const before = new Map(files.map((file) => [file, readFileSync(join(checkout.folder, file))]));
  writeFiles(checkout.folder, edits);
  try {
    await checkout.commitAndTag({ files, version, timeS });
  } catch (error) {
    if ((await checkout.head()).commit === head.commit) writeFiles(checkout.folder, before);
    throw error;
  }
}

async function makeIn(staging, { checkout, options, head, doors }) {
  const read = (file) => staging.read(file);
  const tags = await checkout.tagsHere();
  const plan = planOf(options, { read, head, tags, nowS: doors.nowS() });
  await requireReady({ checkout, options, plan, head, doors });
  staging.prepare(plan);
  const tarballs = await doors.build(staging, targetsFor(options, doors));
  const { missing } = agentManifest(staging);
  requireComplete(options.kind, missing);
  const { version, timeS } = plan;
  const folder = join(checkout.folder, "dist", "release", version);
  await gather(staging, folder, { version, timeS, tarballs });
  if (options.kind === "make") await commit(checkout, head, plan);
  const shown = relative(checkout.folder, folder);
  doors.print(reportOf({ kind: options.kind, plan, folder, shown, missing }));
  return folder;
}

/**
 * Makes a release, or only its artefacts.
 *
 * @param {{ kind: "dry" | "make" | "remake", version?: string, targets: readonly string[] }} options
 * @param {Doors} doors
 * @returns {Promise<string>} the folder of the artefacts; rejects with `ReleaseRefused`, and then the
 *   checkout is as it was
 */
export async function release(options, doors) {
  const checkout = new Checkout(doors.folder);
  const head = await checkout.head();
  if (options.kind !== "dry") await requireClean(checkout);
  else if ((await checkout.changes()) !== "") {
    doors.print("What is not committed is left out.");
  }
  const staging = await Staging.open(checkout, head.commit);
  try {
    return await makeIn(staging, { checkout, options, head, doors });
  } finally {
    staging.close();
  }
}
