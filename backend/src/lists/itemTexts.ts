import type { Column, ColumnValue } from "./listSpec.ts";

/** An item of a list, and what stands in its columns in lower case: read once for all filters. */
export class ItemTexts<T> {
  readonly item: T;
  readonly #texts = new Map<Column<T>, readonly string[]>();

  constructor(item: T) {
    this.item = item;
  }

  /** What the item has in a column; several texts of a list, and none where nothing is there. */
  of(column: Column<T>): readonly string[] {
    const known = this.#texts.get(column);
    if (known !== undefined) return known;
    const texts = lowerTexts(column(this.item));
    this.#texts.set(column, texts);
    return texts;
  }
}

function lowerTexts(value: ColumnValue): string[] {
  if (value === null || value === undefined) return [];
  if (typeof value === "object") return value.map((text) => text.toLowerCase());
  return [String(value).toLowerCase()];
}
