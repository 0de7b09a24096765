/** Path to one line that says all about the entry: type, mode, owner, and target or SHA-256. */
export type TreeSnapshot = Readonly<Record<string, string>>;

/**
 * Prints all entries below the arguments, but not what is mounted there, as records that end with
 * a NUL; then an empty record; then the SHA-256 of each regular file. `parseTree` reads it.
 */
export const LIST_TREE = `
find "$@" -xdev -printf '%p\\t%y %m %U:%G %l\\0' 2>/dev/null
printf '\\0'
find "$@" -xdev -type f -print0 2>/dev/null | xargs -0 -r sha256sum -z
`;

/** Turns the output of `LIST_TREE` into a record that two calls of `toEqual` can compare. */
export function parseTree(output: string): TreeSnapshot {
  const border = output.startsWith("\0") ? 0 : output.indexOf("\0\0") + 1;
  const hashes = parseHashes(output.slice(border + 1));
  const entries = records(output.slice(0, border)).map((record): [string, string] => {
    const tab = record.lastIndexOf("\t");
    const path = record.slice(0, tab);
    const facts = record.slice(tab + 1).trimEnd();
    const hash = hashes.get(path);
    return [path, hash === undefined ? facts : `${facts} ${hash}`];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function parseHashes(output: string): Map<string, string> {
  return new Map(records(output).map((record) => [record.slice(66), record.slice(0, 64)]));
}

function records(output: string): string[] {
  return output.split("\0").filter((record) => record !== "");
}
