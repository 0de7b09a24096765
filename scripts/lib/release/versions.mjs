// The version of the product stands in `package.json`, which decides; this is the list of all other
// places that repeat it, and how a new one gets into them.

/** Where the version is decided. */
const DECIDING = "package.json";

/** A version, in a pattern. */
const VERSION = String.raw`(?<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)`;

/** Wherever a pattern stands in a file: its parts are called `before`, `version` and `behind`. */
const patternPlace = (file, pattern) => ({
  file,
  read: (text) => [...text.matchAll(pattern)].map(({ groups }) => groups.version),
  write: (text, version) => text.replace(pattern, `$<before>${version}$<behind>`),
});

/** A package's own version, and those of our packages that it depends on. */
const manifestPattern = new RegExp(
  String.raw`^(?<before> {2}"version": "|\s+"@rport\/[\w-]+": ")${VERSION}(?<behind>")`,
  "gm",
);
const constantPattern = new RegExp(`(?<before>VERSION = ")${VERSION}(?<behind>";)`, "g");
const packagePattern = new RegExp(String.raw`(?<before>\brport-)${VERSION}(?<behind>\.vsix)`, "g");

function ownRows(lock, workspaces) {
  return ["", ...workspaces].map((path) => lock.packages[path] ?? {});
}

const ownNames = (lock, workspaces) => new Set(ownRows(lock, workspaces).map(({ name }) => name));

/** Where a row of the lock file depends on a package of ours: a table and a name in it. */
function ownDependencies(row, names) {
  const tables = [row.dependencies, row.devDependencies, row.optionalDependencies];
  return tables
    .filter((table) => table !== undefined)
    .flatMap((table) => Object.keys(table).map((name) => ({ table, name })))
    .filter(({ name }) => names.has(name));
}

/** `package-lock.json` repeats the version of each workspace, and what depends on one. */
const lockPlace = (workspaces) => ({
  file: "package-lock.json",
  read: (text) => {
    const lock = JSON.parse(text);
    const names = ownNames(lock, workspaces);
    const rows = ownRows(lock, workspaces);
    const wanted = rows.flatMap((row) => ownDependencies(row, names));
    return [lock, ...rows]
      .map(({ version }) => version)
      .concat(wanted.map(({ table, name }) => table[name]));
  },
  write: (text, version) => {
    const lock = JSON.parse(text);
    const names = ownNames(lock, workspaces);
    for (const row of [lock, ...ownRows(lock, workspaces)]) {
      row.version = version;
      for (const { table, name } of ownDependencies(row, names)) table[name] = version;
    }
    return `${JSON.stringify(lock, null, 2)}\n`;
  },
});

/** All places, in the checkout whose files `read` answers. */
function placesOf(read) {
  const { workspaces } = JSON.parse(read(DECIDING));
  const manifests = ["", ...workspaces.map((folder) => `${folder}/`)];
  return [
    ...manifests.map((folder) => patternPlace(`${folder}package.json`, manifestPattern)),
    lockPlace(workspaces),
    patternPlace("backend/protocol/src/version.ts", constantPattern),
    patternPlace("README.md", packagePattern),
  ];
}

/** The version that decides. */
export const decidedVersion = (read) => JSON.parse(read(DECIDING)).version;

/**
 * Every place that has the version, once for each time that it stands there.
 *
 * @param {(file: string) => string} read the text of a file of the checkout
 * @returns {{ file: string, version: string | undefined }[]} without a version where a place has none
 */
export function versionsIn(read) {
  return placesOf(read).flatMap(({ file, read: versionsOf }) => {
    const versions = versionsOf(read(file));
    return (versions.length === 0 ? [undefined] : versions).map((version) => ({ file, version }));
  });
}

/**
 * The texts of all those files with another version in them.
 *
 * @param {(file: string) => string} read
 * @param {string} version
 * @returns {Map<string, string>} by file; only those that differ
 */
export function withVersion(read, version) {
  const written = placesOf(read).map(({ file, write }) => [file, write(read(file), version)]);
  return new Map(written.filter(([file, text]) => text !== read(file)));
}

/** Whether a text is a version as a release can have one: `1.2.3` or `1.2.3-beta.1`. */
export const isVersion = (text) => new RegExp(`^${VERSION}$`).test(text);

const numbersOf = (version) => version.split(/[-.]/, 3).map(Number);

/**
 * Whether one version comes after another. A preliminary one comes before the one it leads to; two of
 * those are compared by their parts, numbers as numbers.
 */
export function isNewer(version, than) {
  const [one, other] = [numbersOf(version), numbersOf(than)];
  const at = one.findIndex((part, index) => part !== other[index]);
  if (at >= 0) return one[at] > other[at];
  const [lead, otherLead] = [leadOf(version), leadOf(than)];
  if (lead === "" || otherLead === "") return lead === "" && otherLead !== "";
  return lead.localeCompare(otherLead, "en", { numeric: true }) > 0;
}

/** What stands behind the numbers of a preliminary version. */
const leadOf = (version) => version.split("-").slice(1).join("-");
