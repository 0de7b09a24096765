import { RportError } from "@rport/protocol/errors";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { fieldsOfItem, pickFields, selectPage } from "../../../../backend/src/lists/listQuery.ts";
import type { ListSpec, RawQuery } from "../../../../backend/src/lists/listSpec.ts";
import { textPattern } from "../../../../backend/src/lists/textPattern.ts";

interface Host {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly seen: string | null;
}

const spec: ListSpec<Host> = {
  resource: "hosts",
  filters: {
    id: (host) => host.id,
    name: (host) => host.name,
    tags: (host) => host.tags,
    seen: (host) => host.seen,
  },
  times: ["seen"],
  order: (host) => host.id,
  sorts: { id: (host) => host.id, name: (host) => host.name },
  fields: { id: (host) => host.id, name: (host) => host.name, tags: (host) => host.tags },
  defaultFields: ["id"],
};

const HOSTS: readonly Host[] = [
  { id: "c", name: "Web-1", tags: ["prod", "eu"], seen: "2030-01-01T00:00:00Z" },
  { id: "a", name: "web-2", tags: ["test"], seen: "2030-01-02T00:00:00Z" },
  { id: "b", name: "db.x", tags: [], seen: null },
];

const ids = (query: RawQuery): string =>
  selectPage(HOSTS, query, spec)
    .items.map((host) => host.id)
    .join("");

const refusal = (query: RawQuery): RportError => {
  try {
    selectPage(HOSTS, query, spec);
  } catch (error) {
    if (error instanceof RportError) return error;
  }
  throw new Error("the query was not refused");
};

describe("a list query", () => {
  it.each<[string, RawQuery, string]>([
    ["gives everything in the usual order when nothing is asked", {}, "abc"],
    ["compares without regard to case", { "filter[name]": "WEB-1" }, "c"],
    ["takes one of several values", { "filter[id]": "a,b" }, "ab"],
    ["takes a value that is given several times", { "filter[id]": ["a", "c"] }, "ac"],
    ["takes the way in which some programs write lists", { "filter[id][]": ["a", "c"] }, "ac"],
    ["takes wildcards anywhere", { "filter[name]": "*e*-*" }, "ac"],
    ["does not read a dot as an operator", { "filter[name]": "web.1" }, ""],
    ["tries several columns", { "filter[id|tags]": "b,prod" }, "bc"],
    ["tries every column", { "filter[*]": "*x" }, "b"],
    ["demands all of and()", { "filter[tags]": "and(prod,e*)" }, "c"],
    ["refuses what lacks one of and()", { "filter[tags]": "and(prod,us)" }, ""],
    ["takes one of or()", { "filter[tags]": "or(test,eu)" }, "ac"],
    ["matches nothing when the value is empty", { "filter[id]": "" }, ""],
    ["matches nothing when and() is empty", { "filter[id]": "and()" }, ""],
    ["demands all filters", { "filter[name]": "web*", "filter[tags]": "test" }, "a"],
    ["compares times: gt", { "filter[seen][gt]": "2030-01-01T00:00:00Z" }, "a"],
    ["compares times: since", { "filter[seen][since]": "2030-01-01T00:00:00Z" }, "ac"],
    ["compares times: lt in Unix seconds", { "filter[seen][lt]": "1893542400" }, "c"],
    ["compares times: until", { "filter[seen][until]": "2030-01-02T00:00:00Z" }, "ac"],
    [
      "compares times: eq, in another zone",
      { "filter[seen][eq]": "2030-01-01T01:00:00+01:00" },
      "c",
    ],
    ["sorts without regard to case", { sort: "name" }, "bca"],
    ["sorts downwards", { sort: "-name" }, "acb"],
    ["pages", { "page[limit]": "1", "page[offset]": "1" }, "b"],
    ["gives an empty page past the end", { "page[offset]": "9" }, ""],
  ])("%s", (_name, query, expected) => {
    expect(ids(query)).toBe(expected);
  });

  it("counts what was found on all pages", () => {
    const page = selectPage(HOSTS, { "filter[name]": "web*", "page[limit]": "1" }, spec);
    expect(page.count).toBe(2);
    expect(page.items).toHaveLength(1);
  });

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
  ])("refuses %s with 400", (_name, query) => {
    expect(refusal(query).status).toBe(400);
  });

  it("names everything that is wrong at once", () => {
    const error = refusal({ colour: "red", sort: "shape" });
    expect(`${error.message} ${error.detail}`).toMatch(/colour.*shape/s);
  });

  it("gives the members that were asked for", () => {
    const { items, fields } = selectPage(HOSTS, { "fields[hosts]": "name,tags" }, spec);
    expect(items.map((host) => pickFields(host, fields, spec))[0]).toEqual({
      name: "web-2",
      tags: ["test"],
    });
    expect(fieldsOfItem({}, spec)).toBeUndefined();
    expect(fieldsOfItem({ "fields[hosts]": "id" }, spec)).toEqual(["id"]);
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
