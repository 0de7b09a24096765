import { t } from "@vscode/l10n";
import { folded } from "../folded.ts";

/** What a filter can ask for, as it is typed in front of a colon. */
export const FILTER_KEYS = [
  "name",
  "id",
  "address",
  "tag",
  "os",
  "status",
  "auth",
  "server",
] as const;

/** What a filter can ask for. */
export type FilterKey = (typeof FILTER_KEYS)[number];

/** What `status:` can ask for. */
export const FILTER_STATUSES = ["online", "offline", "revoked", "duplicate"] as const;

/** Longest filter that is taken. */
export const FILTER_MAX = 500;

/** One thing that is asked for. */
export interface FilterTerm {
  /** Undefined: any of them. */
  readonly key: FilterKey | undefined;
  /** See `folded`; never empty. */
  readonly text: string;
  /** Whether it has to be all of a value, not a part of one. */
  readonly isWhole: boolean;
}

/** What has to be true of a client, all of it at once. Nothing: every client fits. */
export interface Filter {
  readonly terms: readonly FilterTerm[];
}

/** The filter that every client fits. */
export const NO_FILTER: Filter = { terms: [] };

/** A filter, or why a text is none, as a sentence. */
export type ParsedFilter = { readonly filter: Filter } | { readonly mistake: string };

/** Letters before a colon, but not the first group of an IPv6 address such as `fe::1`. */
const WORD = /(?:([a-z]+):(?!:))?(=?)(?:"([^"]*)"?|(\S*))/giu;

/**
 * Reads what somebody typed: terms apart by spaces, `key:value` or a text alone, quotes around a
 * value with spaces or colons, and `=` before one that has to be all of what it is compared with.
 * A term of which the value is still missing asks for nothing yet.
 */
export function parseFilter(typed: string): ParsedFilter {
  if (typed.length > FILTER_MAX) {
    return { mistake: t("A filter has at most {0} characters.", FILTER_MAX) };
  }
  const terms: FilterTerm[] = [];
  for (const [, name, equals = "", quoted, plain = ""] of typed.matchAll(WORD)) {
    const key = name === undefined ? undefined : keyOf(name);
    const text = folded(quoted ?? plain);
    const mistake = mistakeIn({ name, key, text });
    if (mistake !== undefined) return { mistake };
    if (text !== "") terms.push({ key, text, isWhole: equals !== "" });
  }
  return { filter: { terms } };
}

interface Word {
  /** As it was typed; undefined where there is none. */
  readonly name: string | undefined;
  readonly key: FilterKey | undefined;
  readonly text: string;
}

function mistakeIn({ name, key, text }: Word): string | undefined {
  if (name !== undefined && key === undefined) return unknownKey(name);
  return key === "status" ? unknownStatus(text) : undefined;
}

function keyOf(name: string): FilterKey | undefined {
  return FILTER_KEYS.find((key) => key === name.toLowerCase());
}

function unknownKey(name: string): string {
  const known = FILTER_KEYS.map((key) => `${key}:`).join(", ");
  return t(
    'There is no "{0}:" to filter by. There are {1}. A text with a colon goes in quotes.',
    name,
    known,
  );
}

/** The beginning of a word is enough, because a filter works while it is typed. */
function unknownStatus(text: string): string | undefined {
  if (FILTER_STATUSES.some((status) => status.startsWith(text))) return undefined;
  return t('There is no status "{0}". There are {1}.', text, FILTER_STATUSES.join(", "));
}
