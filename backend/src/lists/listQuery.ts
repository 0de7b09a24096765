import { RportError } from "@rport/protocol/errors";
import { type Condition, parseCondition } from "./listFilter.ts";
import {
  type Column,
  type ListSpec,
  own,
  type Parameter,
  quote,
  type RawQuery,
} from "./listSpec.ts";

/** What a list request asks for: conditions, order, page and members. */
export interface ListQuery<T> {
  readonly conditions: readonly Condition<T>[];
  readonly sort: { readonly column: Column<T>; readonly descending: boolean } | undefined;
  readonly fields: readonly string[];
  readonly limit: number;
  readonly offset: number;
}

type Draft<T> = { -readonly [K in keyof ListQuery<T>]: ListQuery<T>[K] } & {
  readonly conditions: Condition<T>[];
};

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 500;
/** Beyond this a query is a mistake or an attack: each condition costs a pass over the list. */
const PARAMETERS_MAX = 32;

/**
 * Each value with a wildcard, or within `and`, costs a comparison with every text of every item: so
 * many are possible in all filters together.
 */
const PATTERNS_MAX = 32;

/** Which members of one item a query asks for; undefined: all. Takes nothing but `fields`. */
export function fieldsOfItem<T>(query: RawQuery, spec: ListSpec<T>): readonly string[] | undefined {
  const onlyFields = { ...spec, filters: {}, sorts: {}, defaultFields: [] };
  const { fields } = parseListQuery(query, onlyFields);
  return fields.length === 0 ? undefined : fields;
}

/** The named members of an item. */
export function pickFields<T>(
  item: T,
  fields: readonly string[],
  spec: ListSpec<T>,
): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, own(spec.fields, field)?.(item)]));
}

/**
 * Reads the query of a list request. Throws one `BAD_REQUEST` that names every parameter that is
 * not understood.
 */
export function parseListQuery<T>(query: RawQuery, spec: ListSpec<T>): ListQuery<T> {
  const entries = Object.entries(query);
  const request: Draft<T> = {
    conditions: [],
    sort: undefined,
    fields: spec.defaultFields,
    limit: LIMIT_DEFAULT,
    offset: 0,
  };
  if (entries.length > PARAMETERS_MAX) throw new RportError("BAD_REQUEST", "Too many parameters.");
  const problems: string[] = [];
  for (const [name, value] of entries) {
    const values = typeof value === "string" ? [value] : value;
    const problem = applyParameter(request, { name, values }, spec);
    if (problem !== undefined) problems.push(problem);
  }
  if (patternsOf(request) > PATTERNS_MAX) {
    problems.push(`All filters together take at most ${PATTERNS_MAX} values with a wildcard.`);
  }
  const [first, ...others] = problems;
  if (first === undefined) return request;
  throw new RportError("BAD_REQUEST", first, { detail: others.join("\n") });
}

function patternsOf<T>({ conditions }: ListQuery<T>): number {
  return conditions.reduce((sum, { patterns }) => sum + patterns, 0);
}

/** Takes one parameter over into the request, or says what is wrong with it. */
function applyParameter<T>(
  request: Draft<T>,
  parameter: Parameter,
  spec: ListSpec<T>,
): string | undefined {
  const { name } = parameter;
  if (name === "sort") return applySort(request, parameter, spec);
  if (name === "page[limit]" || name === "page[offset]") return applyPage(request, parameter);
  if (name.startsWith("fields[")) return applyFields(request, parameter, spec);
  if (!name.startsWith("filter[")) return `The parameter ${quote(name)} is unknown here.`;
  const condition = parseCondition(parameter, spec);
  if (typeof condition === "string") return condition;
  request.conditions.push(condition);
  return undefined;
}

function applySort<T>(
  request: Draft<T>,
  { values }: Parameter,
  spec: ListSpec<T>,
): string | undefined {
  const [text = ""] = values;
  if (values.length !== 1) return "Only one sort parameter is possible here.";
  const descending = text.startsWith("-");
  const column = own(spec.sorts, descending ? text.slice(1) : text);
  if (column === undefined) return `This list cannot be sorted by ${quote(text)}.`;
  request.sort = { column, descending };
  return undefined;
}

function applyPage<T>(request: Draft<T>, parameter: Parameter): string | undefined {
  const page = parsePage(parameter, LIMIT_MAX);
  if (typeof page === "string") return page;
  Object.assign(request, page);
  return undefined;
}

/** Reads `page[limit]` or `page[offset]`, or says what is wrong with it. */
export function parsePage(
  { name, values }: Parameter,
  limitMax: number,
): { readonly limit: number } | { readonly offset: number } | string {
  const [text = ""] = values;
  const number = /^[0-9]{1,9}$/.test(text) && values.length === 1 ? Number(text) : Number.NaN;
  if (name === "page[offset]") {
    return Number.isNaN(number) ? "page[offset] must be a number from 0." : { offset: number };
  }
  if (number >= 1 && number <= limitMax) return { limit: number };
  return `page[limit] must be a number from 1 to ${limitMax}.`;
}

function applyFields<T>(
  request: Draft<T>,
  { name, values }: Parameter,
  spec: ListSpec<T>,
): string | undefined {
  const known = Object.keys(spec.fields);
  if (known.length === 0 || name !== `fields[${spec.resource}]`) {
    return `The parameter ${quote(name)} is unknown here.`;
  }
  const asked = values.flatMap((value) => value.split(",")).map((field) => field.trim());
  const unknown = asked.find((field) => !known.includes(field));
  if (unknown !== undefined) return `${quote(unknown)} is not a field of ${spec.resource}.`;
  request.fields = asked;
  return undefined;
}
