import {
  type Column,
  type ColumnValue,
  type ListSpec,
  own,
  type Parameter,
  quote,
} from "./listSpec.ts";
import { type TextPattern, textPattern } from "./textPattern.ts";

/** Tells whether an item fulfils one `filter` parameter. */
export type Condition<T> = (item: T) => boolean;

const OPERATORS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  gt: (value, bound) => value > bound,
  lt: (value, bound) => value < bound,
  since: (value, bound) => value >= bound,
  until: (value, bound) => value <= bound,
  eq: (value, bound) => value === bound,
};

/** `filter[columns]` or `filter[column][operator]`. */
const NAME = /^filter\[([^[\]]{1,200})\](?:\[([a-z]{1,10})\])?$/;
/** `and(a,b)` or `or(a,b)`. */
const GROUP = /^(and|or)\((.*)\)$/s;
/** Each value with a wildcard, or within `and`, costs a comparison per item and column. */
const PATTERNS_MAX = 32;

/**
 * Reads one `filter` parameter: several columns separated by `|` and `*` for all of them, several
 * values separated by commas of which one must fit, `and(a,b)` of which all must, `*` as wildcard,
 * and operators on times. A filter without a value matches nothing. Returns a sentence about what
 * is wrong instead when it cannot be understood.
 */
export function parseCondition<T>(
  { name, values }: Parameter,
  spec: ListSpec<T>,
): Condition<T> | string {
  const [, columns, operator] = NAME.exec(name) ?? [];
  if (columns === undefined) return `The filter ${quote(name)} is not well-formed.`;
  const names = columns === "*" ? Object.keys(spec.filters) : columns.split("|");
  const readers: Column<T>[] = [];
  for (const column of names) {
    const reader = own(spec.filters, column);
    if (reader === undefined) return `This list cannot be filtered by ${quote(column)}.`;
    readers.push(reader);
  }
  if (operator === undefined) return textCondition(readers, values);
  const notTime = names.find((column) => !spec.times.includes(column));
  if (notTime !== undefined) return `${quote(notTime)} is not a time: it takes no operator.`;
  return timeCondition(readers, operator, values);
}

function textCondition<T>(
  readers: readonly Column<T>[],
  values: readonly string[],
): Condition<T> | string {
  const groups = values.map(parseGroup);
  const patterns = groups.reduce((sum, group) => sum + group.patterns.length, 0);
  if (patterns > PATTERNS_MAX) {
    return `A filter takes at most ${PATTERNS_MAX} values with a wildcard.`;
  }
  const tests = groups.map(groupTest);
  return (item) => {
    const texts = readers.flatMap((reader) => lowerTexts(reader(item)));
    return tests.some((test) => test(texts));
  };
}

interface Group {
  readonly all: boolean;
  /** Values without a wildcard: looked up, so there may be many. */
  readonly exact: readonly string[];
  readonly patterns: readonly string[];
}

function parseGroup(value: string): Group {
  const [, kind, inner] = GROUP.exec(value.trim()) ?? [];
  const parts = (inner ?? value).split(",").map((part) => part.trim());
  const filled = parts.filter((part) => part !== "");
  if (kind === "and") return { all: true, exact: [], patterns: filled };
  return {
    all: false,
    exact: filled.filter((part) => !part.includes("*")).map((part) => part.toLowerCase()),
    patterns: filled.filter((part) => part.includes("*")),
  };
}

/** Tells whether any of an item's texts (for `and`: whether for each pattern one of them) fits. */
function groupTest(group: Group): (texts: readonly string[]) => boolean {
  const exact = new Set(group.exact);
  const patterns: TextPattern[] = group.patterns.map(textPattern);
  if (group.all) {
    return (texts) => patterns.length > 0 && patterns.every((fits) => texts.some(fits));
  }
  return (texts) =>
    texts.some((text) => exact.has(text)) || patterns.some((fits) => texts.some(fits));
}

function lowerTexts(value: ColumnValue): string[] {
  if (value === null || value === undefined) return [];
  if (typeof value === "object") return value.map((text) => text.toLowerCase());
  return [String(value).toLowerCase()];
}

function timeCondition<T>(
  readers: readonly Column<T>[],
  operator: string,
  values: readonly string[],
): Condition<T> | string {
  const holds = own(OPERATORS, operator);
  if (holds === undefined) return `${quote(operator)} is not an operator of a filter.`;
  const bounds = values.map(parseTime);
  const bad = values.find((_, n) => Number.isNaN(bounds[n]));
  if (bad !== undefined) return `${quote(bad)} is neither an RFC 3339 time nor Unix seconds.`;
  return (item) =>
    readers.some((reader) => {
      const at = Date.parse(String(reader(item) ?? ""));
      return !Number.isNaN(at) && bounds.some((bound) => holds(at, bound));
    });
}

/** Unix seconds or RFC 3339, in milliseconds; NaN for anything else. */
function parseTime(text: string): number {
  if (/^[0-9]{1,11}$/.test(text)) return Number(text) * 1_000;
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
}
