import type { Client } from "@rport/protocol/model";
import { naturalKey } from "./naturalKey.ts";

/** A tag, and how many of the clients whose tags are edited have it. */
export interface TagChoice {
  readonly tag: string;
  readonly on: number;
}

/** All tags that can be chosen for some clients: those that are known, in natural order. */
export function tagChoices(
  clients: readonly Pick<Client, "tags">[],
  known: Iterable<Pick<Client, "tags">>,
): readonly TagChoice[] {
  const on = new Map<string, number>();
  for (const { tags } of known) for (const tag of named(tags)) on.set(tag, 0);
  for (const { tags } of clients)
    for (const tag of named(tags)) on.set(tag, (on.get(tag) ?? 0) + 1);
  return [...on]
    .map(([tag, count]) => ({ tag, on: count }))
    .sort((a, b) => (naturalKey(a.tag) < naturalKey(b.tag) ? -1 : 1));
}

/**
 * The tags of a client after all of some clients were given `chosen`. Those that all had and that are not
 * chosen any more go; those that only some had stay where they are.
 */
export function editedTags(
  { tags }: Pick<Client, "tags">,
  choices: readonly TagChoice[],
  { chosen, clients }: { readonly chosen: readonly string[]; readonly clients: number },
): readonly string[] {
  const ofAll = new Set(choices.filter(({ on }) => on === clients).map(({ tag }) => tag));
  const kept = named(tags).filter((tag) => !ofAll.has(tag) || chosen.includes(tag));
  return [...new Set([...kept, ...chosen])];
}

/** Whether two lists hold the same tags. */
export function hasSameTags(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((tag) => other.includes(tag));
}

function named(tags: readonly string[]): readonly string[] {
  return [...new Set(tags.filter((tag) => tag.trim() !== ""))];
}
