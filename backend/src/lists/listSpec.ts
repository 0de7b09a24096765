/** What a column of a list can hold. Lists are matched element by element. */
export type ColumnValue = string | number | boolean | null | undefined | readonly string[];

/** Reads a column of an item. */
export type Column<T> = (item: T) => ColumnValue;

/** What a list offers to its callers, in RPort's query language. */
export interface ListSpec<T> {
  /** The name in `fields[name]`. */
  readonly resource: string;
  /** Columns for `filter[name]`. */
  readonly filters: Readonly<Record<string, Column<T>>>;
  /** Filter columns that are times, which take `gt`, `lt`, `since`, `until` and `eq`. */
  readonly times: readonly string[];
  /** The order when none is asked for; it also settles ties. */
  readonly order: Column<T>;
  /** Columns for `sort`. */
  readonly sorts: Readonly<Record<string, Column<T>>>;
  /** Members for `fields[resource]`; an empty record: the whole item is always sent. */
  readonly fields: Readonly<Record<string, (item: T) => unknown>>;
  /** Members sent when none were asked for. */
  readonly defaultFields: readonly string[];
}

/** A query as it arrives: each name once, with one or several values. */
export type RawQuery = Readonly<Record<string, string | readonly string[]>>;

/** One parameter of a query. */
export interface Parameter {
  readonly name: string;
  readonly values: readonly string[];
}

/** A member of the record itself, never one that every object has, such as `constructor`. */
export function own<V>(record: Readonly<Record<string, V>>, name: string): V | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A text from outside, fit for an error message. */
export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
