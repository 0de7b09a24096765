/** What the list of an installer begins with; a line for each file follows. */
const LISTS = { sh: "\nMANIFEST='", ps1: "\n$RportManifest = @'\n" } as const;

/**
 * An installer whose list has these lines, too. Throws when it has no list. The same bytes come back
 * where there are no lines.
 */
export function withLines(
  script: Buffer,
  kind: keyof typeof LISTS,
  lines: readonly string[],
): Buffer {
  if (lines.length === 0) return script;
  const begin = LISTS[kind];
  const at = script.indexOf(begin);
  if (at < 0) throw new Error(`the installer (${kind}) has no list of files`);
  const head = at + begin.length;
  const added = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  return Buffer.concat([script.subarray(0, head), added, script.subarray(head)]);
}
