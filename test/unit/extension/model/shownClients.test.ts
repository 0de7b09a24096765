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
import { client, join, offline, refusal, snapshot } from "../entities.ts";

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
      hidesOffline: fc.boolean(),
      wanted: fc.uniqueArray(fc.constantFrom("b", "c")).map((ids) => new Set<string>(ids)),
    });
    const steps = fc.tuple(values, fc.option(fc.constantFrom("a", "d", "e"), { nil: null }));
    fc.assert(
      fc.property(arrangements, fc.array(steps, { maxLength: 30 }), (arrangement, changes) => {
        const mirror = mirrorOf([]);
        const shown = shownOf(mirror, arrangement);
        for (const [change, caller] of changes) {
          apply(mirror, shown, change);
          mirror.maps.refusals.clear();
          if (caller !== null) mirror.maps.refusals.set("r", refusal("r", { client_id: caller }));
          shown.called(mirror);
          const anew = shownOf(mirror, arrangement);
          expect(groupsOf(shown)).toEqual(groupsOf(anew));
          expect([shown.size, shown.total, shown.hidden]).toEqual([
            anew.size,
            anew.total,
            anew.hidden,
          ]);
        }
      }),
    );
  });
});

describe("clients that are offline, where those are hidden", () => {
  const HIDING = { hidesOffline: true } as const;

  it("are left out and counted, in all groupings", () => {
    const shown = shownOf(mirrorOf(FLEET), HIDING);
    expect(groupsOf(shown)).toEqual([["Online", "web-2", "web-10"]]);
    expect([shown.size, shown.total, shown.hidden]).toEqual([2, 4, 2]);
    shown.regroup({ ...USUAL, ...HIDING, groupBy: "tag" });
    expect(groupsOf(shown).flatMap(([, ...ids]) => ids)).not.toContain("db");
    shown.regroup(USUAL);
    expect([shown.size, shown.hidden]).toEqual([4, 0]);
  });

  it("are shown when they are pinned, or somebody went to them", () => {
    const pinned = new Set(["db"]);
    expect(groupsOf(shownOf(mirrorOf(FLEET), { ...HIDING, pinned }))[0]).toEqual(["Pinned", "db"]);
    const shown = shownOf(mirrorOf(FLEET), { ...HIDING, wanted: new Set(["old"]) });
    expect(groupsOf(shown)[1]).toEqual(["Offline", "old"]);
    expect(shown.hidden).toBe(1);
  });

  it("are found by a filter for a status, and counted when another filter would find them", () => {
    const offlines = shownOf(mirrorOf(FLEET), { ...HIDING, filter: filterOf("status:offline") });
    expect(groupsOf(offlines)).toEqual([["Offline", "db", "old"]]);
    expect(offlines.hidden).toBe(0);
    const named = shownOf(mirrorOf(FLEET), { ...HIDING, filter: filterOf("tag:db") });
    expect([named.size, named.hidden]).toEqual([0, 1]);
  });

  it("are shown while they knock at the server's door, also revoked ones, and no longer", () => {
    const revoked = offline("laptop", { revoked_at: "2030-01-01T00:00:00Z" });
    const mirror = mirrorOf([...FLEET, revoked]);
    const shown = shownOf(mirror, HIDING);
    mirror.maps.refusals.set("r", refusal("r", { client_id: "laptop", reason: "revoked-client" }));
    expect([...shown.called(mirror)]).toHaveLength(1);
    mirror.maps.joins.set("j", join("waiting-1", { client_id: "db" }));
    shown.called(mirror);
    expect(groupsOf(shown)[1]).toEqual(["Offline", "db", "laptop"]);
    expect([...shown.called(mirror)]).toEqual([]);
    mirror.maps.refusals.clear();
    shown.called(mirror);
    expect(groupsOf(shown)[1]).toEqual(["Offline", "db"]);
    expect(shown.hidden).toBe(2);
  });

  it("come and go with the connection", () => {
    const mirror = mirrorOf(FLEET);
    const shown = shownOf(mirror, HIDING);
    apply(mirror, shown, { id: "web-2", isOnline: false, isGone: false });
    expect([shown.size, shown.hidden]).toEqual([1, 3]);
    apply(mirror, shown, { id: "db", isOnline: true, isGone: false });
    apply(mirror, shown, { id: "old", isOnline: false, isGone: true });
    expect([shown.size, shown.hidden, shown.total]).toEqual([2, 1, 3]);
  });
});
