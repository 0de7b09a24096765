import { RportError } from "@rport/protocol/errors";
import { quote, type RawQuery } from "../lists/listSpec.ts";
import { withoutShapes } from "../platform/redactor.ts";

/** A query with more parameters than this is a mistake or an attack. */
const PARAMETERS_MAX = 100;
/** Parameters that a message names. */
const SHOWN_MAX = 20;
/** Characters of a path that are logged. */
const LOGGED_MAX = 200;

/**
 * The query of a request's target, each name once; a name that occurs several times has a list of
 * values. Names stay flat: `filter[id]` is a name. `__proto__` is refused with `BAD_REQUEST`.
 */
export function rawQuery(target: string): RawQuery {
  const mark = target.indexOf("?");
  const query: Record<string, string | string[]> = {};
  if (mark < 0) return query;
  const pairs = [...new URLSearchParams(target.slice(mark + 1))];
  if (pairs.length > PARAMETERS_MAX) throw new RportError("BAD_REQUEST", "Too many parameters.");
  for (const [name, value] of pairs) {
    if (name === "__proto__") throw new RportError("BAD_REQUEST", "A parameter is not allowed.");
    const before = Object.hasOwn(query, name) ? query[name] : undefined;
    query[name] = before === undefined ? value : [before, value].flat();
  }
  return query;
}

/**
 * A sentence about parameters that nobody asked for. What would change nothing is refused: a filter
 * that is ignored finds too much, and a restriction that is ignored keeps nobody out.
 */
export function unknownParameters(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_MAX).map(quote);
  return `Unknown here: the parameter ${shown.join(", ")}.`;
}

/** The target of a request without its query. */
export function pathOf(target: string): string {
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}

/**
 * All that may be logged of a request's target: its path, without what has the form of a secret, cut
 * where it is longer than any of ours. Of a secret that is cut nobody would know the form.
 */
export function loggedPath(target: string): string {
  const path = withoutShapes(pathOf(target));
  return path.length <= LOGGED_MAX ? path : `${path.slice(0, LOGGED_MAX)}\u2026`;
}
