import type { Client } from "@rport/protocol/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Mirror } from "../../../../extension/src/model/mirror.ts";
import { parseFilter } from "../../../../extension/src/model/shown/filter.ts";
import { GROUPINGS, groupLabel } from "../../../../extension/src/model/shown/grouping.ts";
import {
  type Arrangement,
  ShownClients,
  USUAL,
} from "../../../../extension/src/model/shown/shownClients.ts";
import { SORTINGS } from "../../../../extension/src/model/shown/sorting.ts";
import { client, offline, snapshot } from "../entities.ts";

const SERVER = "relay.example.com";

function mirrorOf(clients: readonly Client[]): Mirror {
  const mirror = new Mirror();
  mirror.apply(snapshot({ clients: [...clients] }));
  return mirror;
}

function shownOf(mirror: Mirror, arrangement: Partial<Arrangement> = {}): ShownClients {
  const shown = new ShownClients();
  shown.reset(mirror, { ...USUAL, ...arrangement }, SERVER);
  return shown;
}

/** What is shown: each group with its clients. */
function groupsOf(shown: ShownClients): [string, ...string[]][] {
  return shown.groupKeys.map((key) => [groupLabel(shown.group(key)), ...shown.idsOf(key)]);
}

interface ClientChange extends Record<string, unknown> {
  readonly id: string;
  readonly isOnline: boolean;
  readonly isGone: boolean;
}

function apply(mirror: Mirror, shown: ShownClients, change: ClientChange): void {
  const { id, isOnline, isGone, ...rest } = change;
  const { clients } = mirror.maps;
  const before = clients.get(id);
  const after = isGone ? undefined : (isOnline ? client : offline)(id, rest);
  if (before === undefined && after === undefined) return;
  if (after === undefined) clients.delete(id);
  else clients.set(id, after);
  shown.update({ entity: "client", id, before, after });
}

function filterOf(text: string) {
  const parsed = parseFilter(text);
  if ("mistake" in parsed) throw new Error(parsed.mistake);
  return parsed.filter;
}

const FLEET = [
  client("web-10", { tags: ["web"], address: "203.0.113.9" }),
  client("web-2", { tags: ["web", "canary"], address: "2001:db8:1:2:3::4" }),
  offline("db", { tags: ["db"], os_full_name: "", os: "", client_auth_id: "laptops" }),
  offline("old", { disconnected_at: "2029-01-01T00:00:00Z", address: "" }),
];

// F-26: a change of one host costs that host alone, whatever is filtered and however it is grouped.
describe("the clients of a server that are shown", () => {
  it.each([
    [
      "status",
      [
        ["Online", "web-2", "web-10"],
        ["Offline", "db", "old"],
      ],
    ],
    [
      "tag",
      [
        ["canary", "web-2"],
        ["db", "db"],
        ["web", "web-2", "web-10"],
        ["Untagged", "old"],
      ],
    ],
    [
      "os",
      [
        ["6.1", "db"],
        ["Debian GNU/Linux 12", "old", "web-2", "web-10"],
      ],
    ],
    [
      "credential",
      [
        ["fleet", "old", "web-2", "web-10"],
        ["laptops", "db"],
      ],
    ],
    [
      "network",
      [
        ["203.0.113.9", "db", "web-10"],
        ["2001:db8:1:2::/64", "web-2"],
        ["Unknown Network", "old"],
      ],
    ],
    ["server", [["All Clients", "db", "old", "web-2", "web-10"]]],
  ] as const)("are in groups by %s", (groupBy, groups) => {
    expect(groupsOf(shownOf(mirrorOf(FLEET), { groupBy }))).toEqual(groups);
  });

  it("stand by when they were last seen, those that are there first", () => {
    const shown = shownOf(mirrorOf(FLEET), { groupBy: "server", sortBy: "lastSeen" });
    expect(groupsOf(shown)).toEqual([["All Clients", "web-2", "web-10", "db", "old"]]);
  });

  it("stand above all others when somebody pinned them, and nowhere else", () => {
    const shown = shownOf(mirrorOf(FLEET), { groupBy: "tag", pinned: new Set(["old", "web-2"]) });
    expect(groupsOf(shown)).toEqual([
      ["Pinned", "old", "web-2"],
      ["db", "db"],
      ["web", "web-10"],
    ]);
  });

  it("are those that fit the filter, in all groups", () => {
    const mirror = mirrorOf(FLEET);
    const shown = shownOf(mirror);
    shown.regroup({ ...USUAL, filter: filterOf("tag:web") });
    expect(groupsOf(shown)).toEqual([["Online", "web-2", "web-10"]]);
    expect([shown.size, shown.total]).toEqual([2, 4]);
    shown.regroup(USUAL);
    expect(shown.size).toBe(4);
  });

  it("have a group renewed when a client of it stands first in another one", () => {
    const mirror = mirrorOf([client("a", { tags: ["web"] }), client("b", { tags: ["web"] })]);
    const shown = shownOf(mirror, { groupBy: "tag" });
    const ids = shown.idsOf("=web");
    const after = client("a", { tags: ["canary", "web"] });
    const before = mirror.maps.clients.get("a");
    mirror.maps.clients.set("a", after);
    const change = { entity: "client", id: "a", before, after } as const;
    expect(shown.update(change)).toEqual(new Set(["=canary", "=web"]));
    expect(shown.idsOf("=web")).toEqual(ids);
    // whoever keeps rows by the array makes them anew
    expect(shown.idsOf("=web")).not.toBe(ids);
    expect(shown.groupsOf("a")).toEqual(["=canary", "=web"]);
  });

  it("are after any changes what they would be if all were arranged anew", () => {
    const values = fc.record({
      id: fc.constantFrom("a", "b", "c", "d", "e"),
      name: fc.constantFrom("host2", "host10", "Web", ""),
      tags: fc.uniqueArray(fc.constantFrom("db", "web", "x", ""), { maxLength: 3 }),
      address: fc.constantFrom("203.0.113.9", "fe80::1%eth0", "2001:db8::1", ""),
      isOnline: fc.boolean(),
      isGone: fc.boolean(),
    });
    const arrangements = fc.record({
      groupBy: fc.constantFrom(...GROUPINGS),
      sortBy: fc.constantFrom(...SORTINGS),
      pinned: fc.uniqueArray(fc.constantFrom("a", "b")).map((ids) => new Set<string>(ids)),
      filter: fc.constantFrom("", "tag:db", "host", "status:off").map(filterOf),
    });
    fc.assert(
      fc.property(arrangements, fc.array(values, { maxLength: 30 }), (arrangement, changes) => {
        const mirror = mirrorOf([]);
        const shown = shownOf(mirror, arrangement);
        for (const change of changes) {
          apply(mirror, shown, change);
          const anew = shownOf(mirror, arrangement);
          expect(groupsOf(shown)).toEqual(groupsOf(anew));
          expect([shown.size, shown.total]).toEqual([anew.size, anew.total]);
        }
      }),
    );
  });
});
