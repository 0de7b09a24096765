import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { pickFields } from "../../../../backend/src/lists/listQuery.ts";
import { ListSearches } from "../../../../backend/src/lists/listSearches.ts";
import type { RawQuery } from "../../../../backend/src/lists/listSpec.ts";
import { type Host, hostList } from "../../../support/backend/hostList.ts";
import { testLog } from "../../../support/log.ts";

const HOSTS: readonly Host[] = [
  { id: "c", name: "Web-1", tags: ["prod", "eu"], seen: "2030-01-01T00:00:00Z" },
  { id: "a", name: "web-2", tags: ["test"], seen: "2030-01-02T00:00:00Z" },
  { id: "b", name: "db.x", tags: [], seen: null },
];

/** Looking at one item takes as long as `stepMs` says. */
function setUp({ stepMs = 0 } = {}) {
  let nowMs = 0;
  const clock = { monotonic: () => nowMs };
  const limits = new Limits({ clock, log: testLog().log, values: { list_queries: 2 } });
  const searches = new ListSearches({ limits, clock });
  const row = (host: Host, fields: readonly string[]) => pickFields(host, fields, hostList);
  const looked: string[] = [];
  const spec: typeof hostList = {
    ...hostList,
    order(host) {
      nowMs += stepMs;
      looked.push(host.id);
      return host.id;
    },
  };
  const search = (user: string, query: RawQuery, items: Iterable<Host> = HOSTS) =>
    searches.run({ accountId: user, name: user }, { items, query, spec, row });
  const bites = (name: string) => limits.states().find((state) => state.name === name)?.bites;
  return { search, looked, bites };
}

async function ids(query: RawQuery): Promise<string> {
  const { data } = await setUp().search("anna", query);
  return data.map(({ id }) => id).join("");
}

describe("a search of a list", () => {
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
  ])("%s", async (_name, query, expected) => {
    expect(await ids(query)).toBe(expected);
  });

  it("counts what was found on all pages", async () => {
    const { search } = setUp();
    const page = await search("anna", { "filter[name]": "web*", "page[limit]": "1" });
    expect(page.count).toBe(2);
    expect(page.data).toHaveLength(1);
  });

  it("gives the members that were asked for", async () => {
    const { data } = await setUp().search("anna", { "fields[hosts]": "name,tags" });
    expect(data[0]).toEqual({ name: "web-2", tags: ["test"] });
  });

  it("looks at a column that is named twice once", async () => {
    let reads = 0;
    const host: Host = {
      ...(HOSTS[0] as Host),
      get tags() {
        reads += 1;
        return ["prod"];
      },
    };
    const { search } = setUp();
    await search("anna", { "filter[tags|tags|id]": "x,prod", "filter[tags]": "p*" }, [host]);
    expect(reads).toBe(1);
  });
});

describe("searches of lists", () => {
  it("take a few milliseconds of a turn of the event loop, whatever they find", async () => {
    const { search, looked } = setUp({ stepMs: 3 });
    const items = Array.from({ length: 10 }, (_, n): Host => ({ ...HOSTS[1], id: `${n}` }) as Host);
    const searching = search("anna", {}, items);
    const seen: number[] = [];
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(looked.length);
      }
    })();
    await searching;
    isOver = true;
    await watching;
    expect(seen.length).toBeGreaterThanOrEqual(5);
    expect(seen[0]).toBeLessThanOrEqual(4);
  });

  it("begin one in a turn of the event loop, however short they are", async () => {
    const { search } = setUp();
    let ended = 0;
    const users = Array.from({ length: 10 }, (_, n) => `user-${n}`);
    const searching = users.map((user) => search(user, {}).then(() => (ended += 1)));
    for (let turn = 1; turn <= 5; turn += 1) {
      await nextTurn();
      expect(ended).toBeLessThanOrEqual(turn + 1);
    }
    await Promise.all(searching);
    expect(ended).toBe(10);
  });

  it("run one at a time, each user's in turn, and wait in a number that is bounded", async () => {
    const { search, bites } = setUp({ stepMs: 5 });
    const ends: string[] = [];
    const asked = (name: string, user: string) =>
      search(user, {}).then(
        () => ends.push(name),
        (error: unknown) => ends.push(`${name}: ${String(error)}`),
      );
    const all = [1, 2, 3, 4].map((n) => asked(`eve ${n}`, "eve"));
    await Promise.all([...all, asked("anna", "anna")]);
    expect(ends[0]).toMatch(/^eve 4: .*Too many of your searches/);
    expect(ends.slice(1)).toEqual(["eve 1", "eve 2", "anna", "eve 3"]);
    expect(bites("list_queries")).toBe(1);
  });

  it("are refused with what to narrow when they keep the processor busy for too long", async () => {
    const { search, bites } = setUp({ stepMs: 900 });
    await expect(search("anna", {})).rejects.toMatchObject({
      code: "BAD_REQUEST",
      detail: expect.stringContaining("Narrow it"),
    });
    expect(bites("list_query_ms")).toBe(1);
    await expect(search("anna", {}, HOSTS.slice(1))).resolves.toMatchObject({ count: 2 });
  });
});
