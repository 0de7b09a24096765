import type { System } from "../systemd/system.ts";
import type { TreeSnapshot } from "../systemd/tree.ts";

/** Written by the system itself, whatever is installed: logs, random seeds, old copies of users. */
const VOLATILE =
  /^\/(var\/log|var\/lib\/systemd|var\/tmp\/systemd-private-|etc\/(passwd|group|shadow|gshadow|subuid|subgid)-)/;

/** All files of a system, or those below some places, but what it changes by itself, and what begins with `without`. */
export async function wholeTree(
  system: System,
  without: readonly string[] = [],
  below: readonly string[] = ["/"],
): Promise<TreeSnapshot> {
  const tree = await system.treeSnapshot(below);
  const isKept = ([path]: [string, string]) =>
    !VOLATILE.test(path) && !without.some((start) => path.startsWith(start));
  return Object.fromEntries(Object.entries(tree).filter(isKept));
}
