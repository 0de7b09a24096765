import { RportError } from "@rport/protocol/errors";
import { type Condition, parseCondition } from "./listFilter.ts";
import {
  type Column,
  type ColumnValue,
  type ListSpec,
  own,
  type Parameter,
  quote,
  type RawQuery,
} from "./listSpec.ts";

/** A page of a list, how many items all pages have, and the members that were asked for. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly count: number;
  readonly fields: readonly string[];
}

interface Request<T> {
  readonly conditions: Condition<T>[];
  sort: { column: Column<T>; descending: boolean } | undefined;
  fields: readonly string[];
  limit: number;
  offset: number;
}

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 500;
/** Beyond this a query is a mistake or an attack: each condition costs a pass over the list. */
const PARAMETERS_MAX = 32;

/**
 * Answers a list request: conditions, order, page. Throws one `BAD_REQUEST` that names every
 * parameter that is not understood.
 */
export function selectPage<T>(items: readonly T[], query: RawQuery, spec: ListSpec<T>): Page<T> {
  const request = parseRequest(query, spec);
  const found = items.filter((item) => request.conditions.every((holds) => holds(item)));
  found.sort(comparer(request, spec));
  const page = found.slice(request.offset, request.offset + request.limit);
  return { items: page, count: found.length, fields: request.fields };
}

/** Which members of one item a query asks for; undefined: all. Takes nothing but `fields`. */
export function fieldsOfItem<T>(query: RawQuery, spec: ListSpec<T>): readonly string[] | undefined {
  const onlyFields = { ...spec, filters: {}, sorts: {}, defaultFields: [] };
  const { fields } = parseRequest(query, onlyFields);
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

function parseRequest<T>(query: RawQuery, spec: ListSpec<T>): Request<T> {
  const entries = Object.entries(query);
  const request: Request<T> = {
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
  const [first, ...others] = problems;
  if (first === undefined) return request;
  throw new RportError("BAD_REQUEST", first, { detail: others.join("\n") });
}

/** Takes one parameter over into the request, or says what is wrong with it. */
function applyParameter<T>(
  request: Request<T>,
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
  request: Request<T>,
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

function applyPage<T>(request: Request<T>, parameter: Parameter): string | undefined {
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
  request: Request<T>,
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

function comparer<T>({ sort }: Request<T>, spec: ListSpec<T>): (a: T, b: T) => number {
  const tie = (a: T, b: T): number => compare(spec.order(a), spec.order(b));
  if (sort === undefined) return tie;
  const sign = sort.descending ? -1 : 1;
  return (a, b) => sign * compare(sort.column(a), sort.column(b)) || tie(a, b);
}

/** Numbers by size, everything else as text without regard to case. */
function compare(a: ColumnValue, b: ColumnValue): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [left, right] = [String(a ?? "").toLowerCase(), String(b ?? "").toLowerCase()];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
