import { type TextPattern, textPattern } from "../../lists/textPattern.ts";
import { RecentMap } from "../../platform/recentMap.ts";
import type { SqlValue } from "./database.ts";

/** Groups of patterns whose meaning is remembered between two rows; a statement has a few. */
const GROUPS_MAX = 64;

/** The name of the function in SQL. */
export const FITS = "fits";

/** Patterns as `fits` takes them, in JSON. */
export interface PatternGroup {
  /** Whether each has to fit one of the texts; else one that does is enough. */
  readonly all: boolean;
  /** As `textPattern` reads them. */
  readonly patterns: readonly string[];
}

/** 1 when the texts fit the patterns, else 0. */
export type Fits = (group: SqlValue, ...texts: readonly SqlValue[]) => 0 | 1;

/**
 * A function for SQL, `fits(group, text, ...)`. SQLite's own LIKE takes the length of the text times
 * that of the pattern, so that whoever says how long names are has a search take minutes; this takes
 * the sum of them.
 */
export function textMatching(): Fits {
  const known = new RecentMap<string, (texts: readonly string[]) => boolean>(GROUPS_MAX);
  return (group, ...texts) => {
    const json = String(group);
    let fits = known.get(json);
    if (fits === undefined) {
      fits = matcherOf(JSON.parse(json));
      known.set(json, fits);
    }
    return fits(texts.map((text) => String(text).toLowerCase())) ? 1 : 0;
  };
}

function matcherOf({ all, patterns }: PatternGroup): (texts: readonly string[]) => boolean {
  const tests = patterns.map(textPattern);
  return (texts) => {
    const fitsOne = (test: TextPattern) => texts.some(test);
    return all ? tests.length > 0 && tests.every(fitsOne) : tests.some(fitsOne);
  };
}
