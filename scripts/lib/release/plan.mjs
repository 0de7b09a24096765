// What a release is going to be, before anything is made: its version, its day, and the texts that
// are written for it.
import { releasedVersions, whyNotReleased, withRelease } from "./changelog.mjs";
import { ReleaseRefused } from "./refused.mjs";
import { decidedVersion, withVersion } from "./versions.mjs";

const CHANGELOG = "CHANGELOG.md";
/** The extension's own, which the editor shows as it is; it may have nothing new. */
const EXTENSION_CHANGELOG = "extension/CHANGELOG.md";

const tagOf = (version) => `v${version}`;
const dayOf = (timeS) => new Date(timeS * 1000).toISOString().slice(0, 10);

/** The texts of all files that the release changes. */
function editsFor(read, { version, timeS }) {
  const edits = withVersion(read, version);
  for (const file of [CHANGELOG, EXTENSION_CHANGELOG]) {
    const hasRoom = file !== EXTENSION_CHANGELOG;
    const text = withRelease(read(file), { version, date: dayOf(timeS), hasRoom });
    if (text !== read(file)) edits.set(file, text);
  }
  return edits;
}

function remade(version, { tags, head }) {
  if (!tags.includes(tagOf(version))) {
    throw new ReleaseRefused(
      `This commit has no tag ${tagOf(version)}. To make a release, name its version: npm run release -- VERSION`,
    );
  }
  return { version, tag: tagOf(version), timeS: head.timeS, edits: new Map() };
}

/** A dry run without a version is of the release that this commit is, or else of the next one. */
function isRemade({ kind, version }, { tags, read }) {
  if (kind === "remake") return true;
  return kind === "dry" && version === undefined && tags.includes(tagOf(decidedVersion(read)));
}

/**
 * Plans a release.
 *
 * @param {{ kind: "dry" | "make" | "remake", version?: string }} options
 * @param {{ read: (file: string) => string, head: { timeS: number }, tags: string[], nowS: number }}
 *   facts the texts of the commit that is checked out, its time and its tags, and the time now
 * @returns {{ version: string, tag: string, timeS: number, edits: Map<string, string> }} `timeS` is the
 *   time that everything in the artefacts has; throws `ReleaseRefused`
 */
export function planOf(options, facts) {
  const { read, head, nowS } = facts;
  const version = options.version ?? decidedVersion(read);
  if (isRemade(options, facts)) return remade(version, facts);
  const changelog = read(CHANGELOG);
  if (options.version === undefined && releasedVersions(changelog).includes(version)) {
    throw new ReleaseRefused(`${version} was released: name the next version, please.`);
  }
  const why = whyNotReleased(changelog, version);
  if (why !== undefined) throw new ReleaseRefused(why);
  // A dry run of the same commit gives the same artefacts on every day.
  const timeS = options.kind === "dry" ? head.timeS : nowS;
  return { version, tag: tagOf(version), timeS, edits: editsFor(read, { version, timeS }) };
}
