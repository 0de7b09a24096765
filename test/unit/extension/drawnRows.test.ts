import { describe, expect, it } from "vitest";
import type { Node } from "../../../extension/src/model/node.ts";
import type { Row } from "../../../extension/src/model/rows/row.ts";
import { ClientsSource } from "../../../extension/src/views/clients.ts";
import { DrawnRows } from "../../../extension/src/views/drawnRows.ts";
import { rowOf } from "../../../extension/src/views/rows.ts";
import type { Dirty } from "../../../extension/src/views/source.ts";
import { client, offline } from "./entities.ts";
import { fleetOf, RELAY } from "./fleetFixture.ts";

/** The clients view of these hosts with all its groups open, and what it costs to keep it true. */
function viewOf(hosts: readonly ReturnType<typeof client>[]) {
  const fixture = fleetOf(RELAY);
  fixture.fill(RELAY, { clients: [...hosts] });
  const source = new ClientsSource(fixture.context);
  let looks = 0;
  const rows = new DrawnRows<Row>({
    rowOf: (node) => {
      looks += 1;
      return rowOf(node, { ...fixture.rows, groups: source });
    },
    itemOf: (_, row) => row,
  });
  const draw = (nodes: readonly Node[] = source.roots()): readonly Row[] =>
    nodes.flatMap((node) => [rows.get(node), ...draw(source.children(node))]);
  const change = (after: ReturnType<typeof client>): readonly Dirty[] => {
    const server = fixture.fleet.get(RELAY);
    if (server === undefined) throw new Error("no server");
    const before = server.mirror.maps.clients.get(after.id);
    server.mirror.maps.clients.set(after.id, after);
    const swap = { entity: "client", id: after.id, before, after } as const;
    const changes = [{ change: swap, rearranged: server.clients.update(swap) }];
    const dirty = source.affected({ kind: "server", server, change: { kind: "changed", changes } });
    rows.outdate(dirty);
    return dirty;
  };
  const looksOf = (work: () => void): number => {
    const before = looks;
    work();
    return looks - before;
  };
  return { ...fixture, source, rows, draw, change, looksOf };
}

describe("rows that the editor was given", () => {
  it("F-26: are looked at again only where something has changed, also when a long list is another one", () => {
    const hosts = Array.from({ length: 500 }, (_, n) => client(`host-${n}`));
    const view = viewOf([...hosts, offline("away")]);
    expect(view.looksOf(() => view.draw())).toBe(503);
    view.change(offline("host-7"));
    const rows: Row[] = [];
    expect(view.looksOf(() => rows.push(...view.draw()))).toBe(3);
    expect(rows.map(({ label, description }) => `${label} ${description}`)).toContain("Online 499");
    expect(rows.find(({ label }) => label === "host-7")?.description).toContain("last seen");
    // a first group more, and one less
    view.change(client("away"));
    view.change(client("host-7"));
    expect(view.looksOf(() => rows.push(...view.draw()))).toBeLessThan(5);
    expect(view.looksOf(() => view.draw())).toBe(0);
  });

  it("are the same objects as long as they look the same", () => {
    const view = viewOf([client("a"), client("b")]);
    const [node] = view.source.roots();
    if (node === undefined) throw new Error("no row");
    const row = view.rows.get(node);
    expect(view.rows.isOutdated(node)).toBe(false);
    view.change(client("a", { cpu_vendor: "another" }));
    expect(view.rows.get(node)).toBe(row);
    view.change(client("a", { tags: ["db"] }));
    expect(view.rows.isOutdated(node)).toBe(true);
    expect(view.rows.get(node)).not.toBe(row);
    view.rows.outdate([{ kind: "all" }]);
    expect(view.looksOf(() => view.draw())).toBe(2);
    view.rows.clear();
    expect([view.rows.has(node), view.rows.size]).toEqual([false, 0]);
  });

  it("say at once that a host looks like one that was shut out meanwhile", () => {
    const view = viewOf([offline("anna"), client("new", { looks_like: "anna" })]);
    view.draw();
    view.change(offline("anna", { revoked_at: "2030-01-01T00:30:00Z" }));
    expect(view.draw().map(({ description }) => description)).toContainEqual(
      expect.stringContaining("looks like the revoked anna"),
    );
  });

  it("stand in the right place when tags come and go", () => {
    const view = viewOf([client("a", { tags: ["x", "y"] }), client("b", { tags: ["y"] })]);
    view.arrangements.groupBy([RELAY], "tag");
    view.source.shown.rearrange("groups");
    expect(view.draw().map(({ label }) => label)).toEqual(["x", "a", "y", "a", "b"]);
    view.change(client("a", { tags: ["y", "z"] }));
    expect(view.draw().map(({ label }) => label)).toEqual(["y", "a", "b", "z", "a"]);
    const [y, z] = view.source.roots().map((group) => view.source.children(group));
    expect([y?.map((node) => "tag" in node), z?.map((node) => "tag" in node)]).toEqual([
      [false, false],
      [true],
    ]);
  });
});
