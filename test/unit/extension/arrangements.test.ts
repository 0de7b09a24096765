import { describe, expect, it } from "vitest";
import { Nodes } from "../../../extension/src/model/node.ts";
import { Arrangements, PINNED_MAX } from "../../../extension/src/views/arrangements.ts";
import { ClientsSource } from "../../../extension/src/views/clients.ts";
import {
  filterContext,
  filterMessage,
  hiddenMessage,
  pinnedBadge,
} from "../../../extension/src/views/context.ts";
import { client, offline, refusal, tunnel } from "./entities.ts";
import { fleetOf, RELAY } from "./fleetFixture.ts";
import { FakeMemento } from "./memento.ts";

/** Arrangements that are read again from what was remembered. */
function remembering() {
  const memory = { workspace: new FakeMemento(), global: new FakeMemento() };
  return { memory, open: () => new Arrangements(memory) };
}

describe("how the clients view is arranged", () => {
  it("is remembered: the filter by workspace, the rest by server", () => {
    const { memory, open } = remembering();
    const first = open();
    first.setFilter(" tag:db ");
    first.groupBy([RELAY, "other"], "tag");
    first.sortBy([RELAY], "lastSeen");
    first.pin(RELAY, ["web", "db"], true);
    first.pin(RELAY, ["db"], false);
    const second = open();
    expect(second.filterText).toBe("tag:db");
    expect(second.of(RELAY)).toMatchObject({ groupBy: "tag", sortBy: "lastSeen" });
    expect(second.of(RELAY).pinned).toEqual(new Set(["web"]));
    expect(second.of("other")).toMatchObject({ groupBy: "tag", sortBy: "name" });
    const elsewhere = new Arrangements({ ...memory, workspace: new FakeMemento() });
    expect(elsewhere.isFiltered).toBe(false);
    expect(elsewhere.isPinned(RELAY, "web")).toBe(true);
  });

  it("is the usual one where what was remembered makes no sense", async () => {
    const { memory, open } = remembering();
    await memory.workspace.update("clients.filter", "nonsense:x");
    await memory.global.update("clients.chosen", { [RELAY]: { groupBy: "moon" } });
    await memory.global.update("clients.pinned", "web");
    expect(open().of(RELAY)).toMatchObject({ groupBy: "status", sortBy: "name" });
    expect(open().isFiltered).toBe(false);
    expect(open().isPinned(RELAY, "web")).toBe(false);
  });

  it("keeps what other windows have remembered meanwhile, and what cannot be used", async () => {
    const { memory, open } = remembering();
    const broken = { groupBy: "moon" };
    await memory.global.update("clients.chosen", { broken });
    await memory.global.update("clients.pinned", { broken, [RELAY]: ["web"] });
    const [first, second] = [open(), open()];
    first.pin(RELAY, ["db"], true);
    second.pin(RELAY, ["gw"], true);
    second.pin("other", ["a"], true);
    first.pin(RELAY, ["web"], false);
    first.groupBy([RELAY], "tag");
    second.sortBy(["other"], "lastSeen");
    expect(memory.global.get("clients.pinned")).toEqual({
      broken,
      [RELAY]: ["db", "gw"],
      other: ["a"],
    });
    expect(memory.global.get("clients.chosen")).toEqual({
      broken,
      [RELAY]: { groupBy: "tag", sortBy: "name" },
      other: { groupBy: "status", sortBy: "lastSeen" },
    });
    expect(first.pinnedOf(RELAY)).toEqual(new Set(["db", "gw"]));
  });

  it("takes back with one step all that was typed in a box, and then the filter", () => {
    const arrangements = remembering().open();
    arrangements.setFilter("web");
    arrangements.beginFilter();
    expect(arrangements.setFilter("we")).toBeUndefined();
    expect(arrangements.setFilter("no:such")).toContain("There is no");
    expect(arrangements.filterText).toBe("we");
    arrangements.clearFilter();
    expect([arrangements.filterText, arrangements.isAsked]).toEqual(["web", false]);
    arrangements.clearFilter();
    expect(arrangements.isFiltered).toBe(false);
  });

  it("pins no more than there is room for, and says so", () => {
    const arrangements = remembering().open();
    const ids = Array.from({ length: PINNED_MAX }, (_, n) => `host-${n}`);
    expect(arrangements.pin(RELAY, ids, true)).toBeUndefined();
    expect(arrangements.pin(RELAY, ["one-more"], true)).toContain("cannot be pinned");
    expect(arrangements.pinnedOf(RELAY).size).toBe(PINNED_MAX);
  });
});

describe("the clients view in groups", () => {
  it("has a client in the group of each of its tags, its tunnels below the first", () => {
    const { text, fill, context, arrangements } = fleetOf(RELAY);
    fill(RELAY, {
      clients: [client("web", { tags: ["prod", "canary"] }), client("db", { tags: ["prod"] })],
      tunnels: [tunnel("web", "1")],
    });
    arrangements.groupBy([RELAY], "tag");
    const source = new ClientsSource(context);
    expect(text(source).map((line) => line.split(" |")[0])).toEqual([
      "canary",
      "  web",
      "    127.0.0.1:20001",
      "prod",
      "  db",
      "  web",
    ]);
    const rows = source.roots().flatMap((group) => source.children(group));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(3);
    for (const row of rows) {
      const group = source.parent(row);
      expect(group === undefined ? [] : source.children(group)).toContain(row);
    }
  });

  it("names no two rows alike, whatever tags and ids are made of", () => {
    const nodes = new Nodes();
    const parts = { kind: "client", serverKey: "s", place: "clients" } as const;
    const one = nodes.get({ ...parts, clientId: "c", tag: "a/b" });
    expect(nodes.get({ ...parts, clientId: "b/c", tag: "a" })).not.toBe(one);
    expect(nodes.get({ ...parts, clientId: "c" })).not.toBe(one);
  });

  it("opens what a filter finds, and is as it was when the filter goes", () => {
    const { text, fill, context, arrangements } = fleetOf(RELAY);
    fill(RELAY, { clients: [client("web-1"), offline("web-2"), offline("db")] });
    const source = new ClientsSource(context);
    text(source);
    const before = source.roots();
    arrangements.setFilter("web");
    source.shown.rearrange("groups");
    expect(text(source).map((line) => line.trim().split(" |")[0])).toEqual([
      ...["Online", "web-1", "Offline", "web-2"],
    ]);
    expect(source.shown.counts()).toEqual({ shown: 2, total: 3, hidden: 0 });
    expect(source.shown.isHidden(RELAY, "db")).toBe(true);
    // others, so that the editor does not keep them closed
    expect(source.roots().some((group) => before.includes(group))).toBe(false);
    arrangements.setFilter("");
    source.shown.rearrange("groups");
    expect(source.roots()).toEqual(before);
  });

  it("says how many are hidden because they are offline, and how to see them", () => {
    const said = (shown: number, hidden: number, servers = 1) =>
      hiddenMessage({ shown, hidden, servers });
    expect(said(4, 0)).toBe("");
    expect(said(4, 1)).toBe("1 offline client is hidden: Show Offline Clients, above, shows it.");
    expect(said(4, 9)).toContain("9 offline clients are hidden");
    // the view itself says it
    expect(said(0, 9)).toBe("");
    expect(said(0, 9, 2)).toContain("9 offline clients are hidden");
    const { arrangements } = fleetOf(RELAY);
    arrangements.hideOffline(true);
    const context = filterContext(arrangements, { shown: 0, total: 9, hidden: 9 });
    expect(context).toMatchObject({ offlineHidden: true, onlyHidden: true, noMatches: false });
    arrangements.want(RELAY, "db");
    expect(arrangements.of(RELAY)).toMatchObject({ hidesOffline: true, wanted: new Set(["db"]) });
    arrangements.hideOffline(false);
    expect(arrangements.of(RELAY)).toMatchObject({ hidesOffline: false, wanted: new Set() });
  });

  it("shows an offline client in the view as soon as it is turned away", () => {
    const fixture = fleetOf(RELAY);
    const { fleet, context, text, arrangements } = fixture;
    fixture.fill(RELAY, { clients: [client("web"), offline("laptop")] });
    arrangements.hideOffline(true);
    const source = new ClientsSource(context);
    expect(text(source).map((line) => line.split(" |")[0]?.trim())).toEqual(["web"]);
    const server = fleet.get(RELAY);
    if (server === undefined) throw new Error("no server");
    const after = refusal("r", { client_id: "laptop" });
    server.mirror.maps.refusals.set("r", after);
    const swap = { entity: "refusal", id: "r", before: undefined, after } as const;
    const change = { kind: "changed", changes: [{ change: swap, rearranged: undefined }] } as const;
    expect(source.affected({ kind: "server", server, change })).not.toEqual([]);
    expect(text(source).map((line) => line.split(" |")[0]?.trim())).toContain("laptop");
  });

  it("says how many match, and counts pinned clients that are away", () => {
    const { fill, fleet, arrangements } = fleetOf(RELAY);
    const said = (shown: number, total: number, servers = 1) =>
      filterMessage("tag:db", { shown, total, servers });
    expect(said(12, 340)).toBe("12 of 340 clients match tag:db");
    expect(said(1, 1)).toBe("1 of 1 client matches tag:db");
    // the view itself says it
    expect(said(0, 340)).toBe("");
    expect(said(0, 340, 2)).toBe("None of 340 clients matches tag:db");
    fill(RELAY, { clients: [client("web"), offline("db"), offline("old")] });
    expect(pinnedBadge(fleet, arrangements)).toBeUndefined();
    arrangements.pin(RELAY, ["web", "db", "gone"], true);
    expect(pinnedBadge(fleet, arrangements)).toMatchObject({
      value: 1,
      tooltip: "1 pinned client is offline",
    });
  });
});
