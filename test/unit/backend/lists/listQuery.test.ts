import { RportError } from "@rport/protocol/errors";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { fieldsOfItem, parseListQuery } from "../../../../backend/src/lists/listQuery.ts";
import type { RawQuery } from "../../../../backend/src/lists/listSpec.ts";
import { textPattern } from "../../../../backend/src/lists/textPattern.ts";
import { hostList } from "../../../support/backend/hostList.ts";

const refusal = (query: RawQuery): RportError => {
  try {
    parseListQuery(query, hostList);
  } catch (error) {
    if (error instanceof RportError) return error;
  }
  throw new Error("the query was not refused");
};

describe("a list query", () => {
  it.each<[string, RawQuery]>([
    ["an unknown column", { "filter[colour]": "x" }],
    ["a column every object has", { "filter[constructor]": "x" }],
    ["a filter without its bracket", { "filter[id": "x" }],
    ["an operator on a text", { "filter[id][gt]": "x" }],
    ["an unknown operator", { "filter[seen][near]": "2030-01-01T00:00:00Z" }],
    ["a time that is none", { "filter[seen][gt]": "yesterday" }],
    ["an unknown order", { sort: "tags" }],
    ["two orders", { sort: ["id", "name"] }],
    ["fields of another resource", { "fields[clients]": "id" }],
    ["an unknown field", { "fields[hosts]": "id,__proto__" }],
    ["a page without items", { "page[limit]": "0" }],
    ["a page that is too large", { "page[limit]": "501" }],
    ["a page that is no number", { "page[limit]": "1e2" }],
    ["a negative offset", { "page[offset]": "-1" }],
    ["an unknown parameter", { colour: "red" }],
    ["more wildcards than are good", { "filter[id]": "a*,".repeat(40) }],
    [
      "more wildcards than are good, in several filters",
      { "filter[id]": "a*,".repeat(20), "filter[name]": "a*,".repeat(20) },
    ],
  ])("refuses %s with 400", (_name, query) => {
    expect(refusal(query).status).toBe(400);
  });

  it("names everything that is wrong at once", () => {
    const error = refusal({ colour: "red", sort: "shape" });
    expect(`${error.message} ${error.detail}`).toMatch(/colour.*shape/s);
  });

  it("tells which members of one item are asked for", () => {
    expect(fieldsOfItem({}, hostList)).toBeUndefined();
    expect(fieldsOfItem({ "fields[hosts]": "id" }, hostList)).toEqual(["id"]);
  });
});

describe("a text pattern", () => {
  it("means what the same pattern means as a regular expression", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "."), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 12 });
    fc.assert(
      fc.property(letters, text, (pattern, value) => {
        const source = pattern.replaceAll(".", "\\.").replaceAll("*", ".*");
        expect(textPattern(pattern)(value)).toBe(new RegExp(`^${source}$`, "s").test(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it("C-19, S-31 searches each part once, from where the one before it ended, and never goes back", () => {
    const fits = textPattern(`${"*a".repeat(200)}*b`);
    const search = vi.spyOn(String.prototype, "indexOf");
    const isFit = fits(`${"a".repeat(1_000)}b`);
    const starts = search.mock.calls.map(([, from]) => from);
    search.mockRestore();
    expect(isFit).toBe(true);
    expect(starts).toEqual(Array.from({ length: 200 }, (_, part) => part));
  });
});
