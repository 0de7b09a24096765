import { type Parameter, quote } from "./listSpec.ts";

/** What a list lets its callers filter by. */
export interface FilterColumns {
  readonly columns: readonly string[];
  /** Those of them that are times, which take operators. */
  readonly times: readonly string[];
}

/** Comparisons of times. */
const OPERATORS = ["gt", "lt", "since", "until", "eq"] as const;
/** A comparison of times. */
export type Operator = (typeof OPERATORS)[number];

/** Values of one filter: one of them must fit, or with `all` each. Without regard to case. */
export interface Group {
  readonly all: boolean;
  /** Values without a wildcard: looked up, so there may be many. */
  readonly exact: readonly string[];
  /** Values in which `*` stands for anything; for `all`, every value. */
  readonly patterns: readonly string[];
}

/** One `filter` parameter, understood. Fits when any of the columns does. */
export type Clause =
  | { readonly kind: "text"; readonly columns: readonly string[]; readonly groups: Group[] }
  | {
      readonly kind: "time";
      readonly columns: readonly string[];
      readonly operator: Operator;
      /** Milliseconds since the epoch; one of them must fit. */
      readonly bounds: readonly number[];
    };

/** `filter[columns]`, `filter[column][operator]`, or `filter[columns][]`, which means no more. */
const NAME = /^filter\[([^[\]]{1,200})\](?:\[([a-z]{1,10})\]|\[\])?$/;
/** `and(a,b)` or `or(a,b)`. */
const GROUP = /^(and|or)\((.*)\)$/s;
/**
 * Reads one `filter` parameter: several columns separated by `|` and `*` for all of them, several
 * values separated by commas of which one must fit, `and(a,b)` of which all must, `*` as wildcard,
 * and operators on times. A filter without a value matches nothing. Returns a sentence about what
 * is wrong instead when it cannot be understood.
 */
export function parseClause({ name, values }: Parameter, spec: FilterColumns): Clause | string {
  const [, written, operator] = NAME.exec(name) ?? [];
  if (written === undefined) return `The filter ${quote(name)} is not well-formed.`;
  const columns = written === "*" ? spec.columns : written.split("|");
  const unknown = columns.find((column) => !spec.columns.includes(column));
  if (unknown !== undefined) return `This list cannot be filtered by ${quote(unknown)}.`;
  if (operator === undefined) return { kind: "text", columns, groups: values.map(parseGroup) };
  const notTime = columns.find((column) => !spec.times.includes(column));
  if (notTime !== undefined) return `${quote(notTime)} is not a time: it takes no operator.`;
  return timeClause(columns, operator, values);
}

function parseGroup(value: string): Group {
  const [, kind, inner] = GROUP.exec(value.trim()) ?? [];
  const parts = (inner ?? value).split(",").map((part) => part.trim());
  const filled = parts.filter((part) => part !== "");
  if (kind === "and") return { all: true, exact: [], patterns: filled };
  return {
    all: false,
    exact: filled.filter((part) => !part.includes("*")),
    patterns: filled.filter((part) => part.includes("*")),
  };
}

function timeClause(
  columns: readonly string[],
  written: string,
  values: readonly string[],
): Clause | string {
  const operator = OPERATORS.find((known) => known === written);
  if (operator === undefined) return `${quote(written)} is not an operator of a filter.`;
  const bounds = values.map(parseTime);
  const bad = values.find((_, n) => Number.isNaN(bounds[n]));
  if (bad !== undefined) return `${quote(bad)} is neither an RFC 3339 time nor Unix seconds.`;
  return { kind: "time", columns, operator, bounds };
}

/** Unix seconds or RFC 3339, in milliseconds; NaN for anything else. */
function parseTime(text: string): number {
  if (/^[0-9]{1,11}$/.test(text)) return Number(text) * 1_000;
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
}
