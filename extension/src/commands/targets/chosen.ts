import { t } from "@vscode/l10n";
import type { Node } from "../../model/node.ts";
import { nameSome } from "../../support/text.ts";
import type { CommandInput } from "../registry.ts";
import type { Noun } from "./nouns.ts";

/** More names than these make no sentence. */
const NAMES_MAX = 3;

/** What a command works on, and how rows stand for it. */
export interface Wanted<T> {
  readonly noun: Noun;
  /** What a row stands for; undefined: for nothing of this kind. */
  readonly of: (node: Node) => T | undefined;
  /** The rows that a row for several stands for; undefined: it stands for itself. */
  readonly within: (node: Node) => readonly Node[] | undefined;
  readonly fits: (target: T) => boolean;
  /** What makes two targets the same one: a row and those below it may stand for one thing. */
  readonly entity: (target: T) => unknown;
  /** How a row is called in a sentence. */
  readonly nameOf: (node: Node) => string;
  /** Whether it works on several at once. */
  readonly isMany: boolean;
}

/** What came of looking at the rows: targets, nothing that says what is meant, or a reason why not. */
export type Chosen<T> =
  | { readonly kind: "targets"; readonly targets: readonly T[] }
  /** One of these rows is meant, if they are given. */
  | { readonly kind: "ask"; readonly among?: readonly Node[] }
  | { readonly kind: "refused"; readonly why: string };

/**
 * What the rows of a command stand for. A command for one works on the row that was clicked, whatever
 * else is selected; a key works on the selection or on nothing. A row for several things stands for each of
 * them: a command for many works on all, a command for one asks which, unless it was a key. Rows that are not what a command is for are
 * never left out in silence.
 */
export function chosenOf<T>(input: CommandInput, wanted: Wanted<T>): Chosen<T> {
  const { noun, isMany, within } = wanted;
  const nodes = nodesOf(input, isMany);
  if (nodes.length === 0) {
    return input.isKey ? { kind: "refused", why: t("Select {0} first.", noun.a) } : { kind: "ask" };
  }
  if (isMany)
    return judged(
      input,
      wanted,
      nodes.flatMap((node) => within(node) ?? [node]),
    );
  const [node] = nodes;
  if (node === undefined || nodes.length > 1) {
    return { kind: "refused", why: t("Select one row: this is for one {0} at a time.", noun.one) };
  }
  const among = within(node);
  if (among === undefined) return judged(input, wanted, nodes);
  if (!input.isKey) return { kind: "ask", among };
  return { kind: "refused", why: t("Select one of these first: {0}.", wanted.nameOf(node)) };
}

function judged<T>(input: CommandInput, wanted: Wanted<T>, nodes: readonly Node[]): Chosen<T> {
  const found = nodes.map((node) => ({ node, target: wanted.of(node) }));
  // a button of the view's title brings the focused row along, whatever it is
  if (!input.isKey && found.every(({ target }) => target === undefined)) return { kind: "ask" };
  const targets: T[] = [];
  const others: Node[] = [];
  for (const { node, target } of found) {
    if (target === undefined || !wanted.fits(target)) others.push(node);
    else targets.push(target);
  }
  if (others.length > 0) return { kind: "refused", why: whyNot(others, wanted) };
  return { kind: "targets", targets: distinct(targets, wanted.entity) };
}

function nodesOf({ node, selection, isKey }: CommandInput, isMany: boolean): readonly Node[] {
  if (isMany || isKey) return selection;
  return node === undefined ? [] : [node];
}

function whyNot<T>(others: readonly Node[], { noun, nameOf }: Wanted<T>): string {
  const names = nameSome(others.map(nameOf), NAMES_MAX);
  return others.length === 1
    ? t("{0} is not {1}.", names, noun.a)
    : t("These are not {0}: {1}.", noun.many, names);
}

function distinct<T>(targets: readonly T[], entity: (target: T) => unknown): readonly T[] {
  const seen = new Set<unknown>();
  return targets.filter((target) => {
    const of = entity(target);
    if (seen.has(of)) return false;
    seen.add(of);
    return true;
  });
}
