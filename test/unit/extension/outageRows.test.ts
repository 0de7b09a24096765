import type { Client } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import type { Node } from "../../../extension/src/model/node.ts";
import { timeOfDay } from "../../../extension/src/model/relativeTime.ts";
import { ClientsSource } from "../../../extension/src/views/clients.ts";
import { rowOf } from "../../../extension/src/views/rows.ts";
import type { Dirty } from "../../../extension/src/views/source.ts";
import { client } from "./entities.ts";
import { fleetOf, nameOf, RELAY, treeText } from "./fleetFixture.ts";

const LOST_MS = Date.UTC(2030, 0, 1, 0, 30);
const WENT = `3 hosts behind 203.0.113.9 | went at ${timeOfDay(LOST_MS)}`;

/** A client that was lost some seconds after half past midnight. */
function lost(id: string, seconds: number, changes: Record<string, unknown> = {}): Client {
  return client(id, {
    connection_state: "disconnected",
    disconnected_at: new Date(LOST_MS + seconds * 1_000).toISOString(),
    connection_end: { kind: "lost", text: "reset" },
    ...changes,
  });
}

const SITE = [lost("site-1", 0), lost("site-2", 1), lost("site-3", 2)];

/** The clients view of these hosts. */
function viewOf(clients: readonly Client[]) {
  const fixture = fleetOf(RELAY);
  fixture.fill(RELAY, { clients: [...clients] });
  const source = new ClientsSource(fixture.context);
  const names = () =>
    treeText(source, fixture.rows).map((line) => line.replace(/ \| (?!went).*/, ""));
  const change = (after: Client): readonly Dirty[] => {
    const server = fixture.fleet.get(RELAY);
    if (server === undefined) throw new Error("no server");
    const before = server.mirror.maps.clients.get(after.id);
    server.mirror.maps.clients.set(after.id, after);
    const swap = { entity: "client", id: after.id, before, after } as const;
    const changes = [{ change: swap, rearranged: server.clients.update(swap) }];
    return source.affected({ kind: "server", server, change: { kind: "changed", changes } });
  };
  const above = (node: Node): string[] => {
    const parent = source.parent(node);
    return parent === undefined ? [] : [...above(parent), parent.kind];
  };
  const row = (clientId: string) =>
    fixture.nodes.get({ kind: "client", serverKey: RELAY, clientId, place: "clients" });
  return { ...fixture, source, names, change, above, row };
}

describe("hosts that went together", () => {
  it("are below one row, above the others, and each is found there", () => {
    const view = viewOf([client("web"), lost("alone", 500), ...SITE]);
    expect(view.names()).toEqual([
      ...["Online", "  web", "Offline", `  ${WENT}`],
      ...["    site-1", "    site-2", "    site-3", "  alone"],
    ]);
    expect(view.above(view.row("site-2"))).toEqual(["group", "outage"]);
    expect(view.above(view.row("alone"))).toEqual(["group"]);
    const parent = view.source.parent(view.row("site-2")) as Node;
    expect(view.source.children(parent)).toContain(view.row("site-2"));
  });

  it("stay in their row when it is for two, and somebody sorts clients otherwise", () => {
    const view = viewOf([client("web"), ...SITE]);
    view.names();
    view.change(client("site-1"));
    const before = view.source.parent(view.row("site-2"));
    view.arrangements.sortBy([RELAY], "lastSeen");
    view.source.shown.rearrange("all");
    expect(view.names()).toContain(`  ${WENT.replace("3", "2")}`);
    expect(view.source.parent(view.row("site-2"))).toBe(before);
  });

  it("are told to a screen reader as one, with what a menu needs to know", () => {
    const { source, row, rows } = viewOf([client("web"), ...SITE]);
    const outage = source.parent(row("site-1")) as Node;
    const { spoken, context } = rowOf(outage, { ...rows, groups: source });
    expect(spoken).toBe(`${WENT.replace(" |", "")}, offline`);
    expect(context).toBe("outage");
  });

  it("leave it when they are back, are two, and then one like others", () => {
    const view = viewOf([client("web"), ...SITE]);
    view.names();
    expect(view.change(client("site-1")).map(nameOf)).toContainEqual(
      expect.stringMatching(/^list outage\//),
    );
    expect(view.names()).toContain(`  ${WENT.replace("3", "2")}`);
    view.change(client("site-2"));
    expect(view.names()).toEqual([
      "Online",
      "  site-1",
      "  site-2",
      "  web",
      "Offline",
      "  site-3",
    ]);
    expect(view.above(view.row("site-3"))).toEqual(["group"]);
  });

  it("come together where they stand, also when no group is another one for that", () => {
    const view = viewOf([client("web"), lost("site-1", 0), lost("site-2", 1), client("site-3")]);
    view.arrangements.groupBy([RELAY], "network");
    view.source.shown.rearrange("groups");
    expect(view.names()).toEqual(["site-1", "site-2", "site-3", "web"]);
    expect(view.change(lost("site-3", 9)).map(nameOf)).toContain("roots");
    expect(view.names()).toEqual([WENT, "  site-1", "  site-2", "  site-3", "web"]);
    // a lone group has no row
    expect(view.above(view.row("site-3"))).toEqual(["outage"]);
  });

  it("are counted as far as a filter lets them through, in each group by tag", () => {
    const tags = (...all: string[]) => ({ tags: all });
    const view = viewOf([
      lost("site-1", 0, tags("x")),
      lost("site-2", 1, tags("x", "y")),
      lost("site-3", 2, tags("x", "z")),
      lost("site-4", 3, tags("x", "z")),
    ]);
    view.arrangements.groupBy([RELAY], "tag");
    view.source.shown.rearrange("groups");
    expect(view.names()).toEqual([
      ...[
        "x",
        `  ${WENT.replace("3", "4")}`,
        "    site-1",
        "    site-2",
        "    site-3",
        "    site-4",
      ],
      ...["y", "  site-2", "z", `  ${WENT.replace("3", "2")}`, "    site-3", "    site-4"],
    ]);
    const [, , z] = view.source.roots();
    const [outage] = view.source.children(z as Node);
    const [again] = view.source.children(outage as Node);
    expect(view.above(again as Node)).toEqual(["group", "outage"]);
    expect(view.source.parent(again as Node)).toBe(outage);
    view.arrangements.setFilter("site-3");
    view.source.shown.rearrange("groups");
    expect(view.names()).toEqual(["x", "  site-3", "z", "  site-3"]);
  });

  it("do not take along a host that somebody pinned", () => {
    const view = viewOf([client("web"), ...SITE, lost("site-4", 3)]);
    view.arrangements.pin(RELAY, ["site-2"], true);
    view.source.shown.rearrange("groups");
    expect(view.names()).toEqual([
      ...["Pinned", "  site-2", "Online", "  web", "Offline", `  ${WENT}`],
      ...["    site-1", "    site-3", "    site-4"],
    ]);
  });
});
