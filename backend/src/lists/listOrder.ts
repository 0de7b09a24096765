import type { ListQuery } from "./listQuery.ts";
import type { ColumnValue, ListSpec } from "./listSpec.ts";

/** An item, and where it stands in the order that was asked for: read once, however many there are. */
export interface Ranked<T> {
  readonly item: T;
  readonly rank: number | string;
  /** Settles ties. */
  readonly tie: number | string;
}

/** The item with its place in the order. */
export function ranked<T>(item: T, { sort }: ListQuery<T>, spec: ListSpec<T>): Ranked<T> {
  const tie = rankOf(spec.order(item));
  return { item, rank: sort === undefined ? tie : rankOf(sort.column(item)), tie };
}

/** Compares two in the order that was asked for. */
export function comparer<T>({ sort }: ListQuery<T>): (a: Ranked<T>, b: Ranked<T>) => number {
  const sign = sort?.descending === true ? -1 : 1;
  return (a, b) => sign * compare(a.rank, b.rank) || compare(a.tie, b.tie);
}

/** Numbers stand by their size, everything else as text without regard to case. */
function rankOf(value: ColumnValue): number | string {
  return typeof value === "number" ? value : String(value ?? "").toLowerCase();
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [left, right] = [String(a), String(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
