import type { ItemTexts } from "./itemTexts.ts";
import { type Clause, type Group, type Operator, parseClause } from "./listClause.ts";
import { type Column, type ListSpec, own, type Parameter } from "./listSpec.ts";
import { type TextPattern, textPattern } from "./textPattern.ts";

/** One `filter` parameter. */
export interface Condition<T> {
  /** Values with a wildcard, and those within `and`: each costs a comparison per text. */
  readonly patterns: number;
  /** Tells whether an item fulfils it. */
  readonly holds: (texts: ItemTexts<T>) => boolean;
}

const COMPARISONS: Readonly<Record<Operator, (value: number, bound: number) => boolean>> = {
  gt: (value, bound) => value > bound,
  lt: (value, bound) => value < bound,
  since: (value, bound) => value >= bound,
  until: (value, bound) => value <= bound,
  eq: (value, bound) => value === bound,
};

/** Reads one `filter` parameter, or returns a sentence about what is wrong; see `parseClause`. */
export function parseCondition<T>(parameter: Parameter, spec: ListSpec<T>): Condition<T> | string {
  const { filters, times } = spec;
  const clause = parseClause(parameter, { columns: Object.keys(filters), times });
  if (typeof clause === "string") return clause;
  // A column that is named twice is looked at once.
  const readers = [...new Set(clause.columns.flatMap((column) => own(filters, column) ?? []))];
  return clause.kind === "text" ? textCondition(readers, clause) : timeCondition(readers, clause);
}

function textCondition<T>(
  readers: readonly Column<T>[],
  { groups }: Extract<Clause, { kind: "text" }>,
): Condition<T> {
  const tests = groups.map(groupTest);
  return {
    patterns: groups.reduce((sum, group) => sum + group.patterns.length, 0),
    holds(item) {
      const texts = readers.flatMap((reader) => item.of(reader));
      return tests.some((test) => test(texts));
    },
  };
}

/** Tells whether any of an item's texts (for `and`: whether for each pattern one of them) fits. */
function groupTest(group: Group): (texts: readonly string[]) => boolean {
  const exact = new Set(group.exact.map((text) => text.toLowerCase()));
  const patterns: TextPattern[] = group.patterns.map(textPattern);
  if (group.all) {
    return (texts) => patterns.length > 0 && patterns.every((fits) => texts.some(fits));
  }
  return (texts) =>
    texts.some((text) => exact.has(text)) || patterns.some((fits) => texts.some(fits));
}

function timeCondition<T>(
  readers: readonly Column<T>[],
  { operator, bounds }: Extract<Clause, { kind: "time" }>,
): Condition<T> {
  const fits = COMPARISONS[operator];
  return {
    patterns: 0,
    holds: ({ item }) =>
      readers.some((reader) => {
        const at = Date.parse(String(reader(item) ?? ""));
        return !Number.isNaN(at) && bounds.some((bound) => fits(at, bound));
      }),
  };
}
