import { connect } from "node:net";
import type { Client } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import type { Node } from "../../../extension/src/model/node.ts";
import { Nodes } from "../../../extension/src/model/node.ts";
import type { FleetChange } from "../../../extension/src/servers/fleet.ts";
import type { ServerChange } from "../../../extension/src/servers/serverChange.ts";
import { ClientsSource } from "../../../extension/src/views/clients.ts";
import { contextOf, statusItemOf, viewMessage } from "../../../extension/src/views/context.ts";
import { CredentialsSource } from "../../../extension/src/views/credentials.ts";
import type { TreeSource } from "../../../extension/src/views/source.ts";
import { StaleRows } from "../../../extension/src/views/staleRows.ts";
import { TunnelsSource } from "../../../extension/src/views/tunnels.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { client, credential, offline, pairing, tunnel } from "./entities.ts";
import { fleetOf, nameOf, RELAY } from "./fleetFixture.ts";

/** What a change of one client makes stale in the clients view, as ids. */
function change(fixture: ReturnType<typeof fleetOf>, source: TreeSource, after: Client) {
  const server = fixture.fleet.get(RELAY);
  if (server === undefined) throw new Error("no server");
  const before = server.mirror.maps.clients.get(after.id);
  server.mirror.maps.clients.set(after.id, after);
  const entity = { entity: "client", id: after.id, before, after } as const;
  const changes = [{ change: entity, rearranged: server.clients.update(entity) }];
  const told: ServerChange = { kind: "changed", changes };
  const event: FleetChange = { kind: "server", server, change: told };
  return source.affected(event).map(nameOf);
}

describe("the clients view", () => {
  it("shows groups, clients and their tunnels, offline last, without a lone server", () => {
    const { text, fill, context } = fleetOf(RELAY);
    const seen = { disconnected_at: "2029-12-31T22:00:00Z" };
    fill(RELAY, {
      clients: [client("web-10"), client("web-2"), offline("db", seen)],
      tunnels: [tunnel("web-2", "1", { connections: 1 })],
    });
    expect(text(new ClientsSource(context))).toEqual([
      "Online | 2",
      "  web-2 | 10.0.0.5 \u00B7 Debian GNU/Linux 12 \u00B7 1 tunnel",
      "    127.0.0.1:20001 | \u2192 web-2:22 SSH \u00B7 on the server \u00B7 1 connection",
      "  web-10 | 10.0.0.5 \u00B7 Debian GNU/Linux 12",
      "Offline | 1",
      "  db | last seen 3 h ago",
    ]);
  });

  it("gives servers rows of their own when there are several", () => {
    const { text, fill, context } = fleetOf(RELAY, "local");
    fill(RELAY, { clients: [client("web")] });
    expect(text(new ClientsSource(context)).map((line) => line.split(" |")[0])).toEqual([
      "relay.example.com",
      "  web",
      "Local Backend",
    ]);
  });

  it("finds the way from a tunnel up to the top", () => {
    const { nodes, fill, context } = fleetOf(RELAY);
    fill(RELAY, { clients: [offline("web"), client("other")] });
    const source = new ClientsSource(context);
    const parts = { serverKey: RELAY, clientId: "web" };
    const row = nodes.get({ kind: "serverTunnel", ...parts, tunnelKey: "web/1" });
    const host = source.parent(row);
    expect(host).toBe(nodes.get({ kind: "client", ...parts, place: "clients" }));
    const group = host === undefined ? undefined : source.parent(host);
    const offlines = { by: "status", value: "offline", round: 0 } as const;
    expect(group).toBe(nodes.get({ kind: "group", serverKey: RELAY, ...offlines }));
    expect(group === undefined ? "?" : source.parent(group)).toBeUndefined();
  });

  it("names the least that is stale after a change", () => {
    const fixture = fleetOf(RELAY);
    fixture.fill(RELAY, { clients: [client("a"), client("b")] });
    const source = new ClientsSource(fixture.context);
    fixture.text(source);
    expect(change(fixture, source, client("a", { os: "other" }))).toEqual(["row client/clients/a"]);
    // a lone group has no row
    expect(change(fixture, source, client("c"))).toEqual(["roots"]);
    // the offline group appears
    expect(change(fixture, source, offline("a"))).toContain("roots");
    fixture.text(source);
    expect(change(fixture, source, client("d"))).toEqual(["list group/0/status/online"]);
    expect(change(fixture, source, offline("b"))).toEqual([
      "list group/0/status/online",
      "list group/0/status/offline",
      "row client/clients/b",
    ]);
  });
});

describe("a message with many changes", () => {
  it("brings the first clients, however many come at once", () => {
    const { fleet, fill, text, context } = fleetOf(RELAY);
    fill(RELAY, {});
    const source = new ClientsSource(context);
    expect(text(source)).toEqual([]);
    const server = fleet.get(RELAY);
    if (server === undefined) throw new Error("no server");
    const changes = ["a", "b", "c"].map((name) => {
      const after = client(name);
      server.mirror.maps.clients.set(after.id, after);
      const change = { entity: "client", id: after.id, before: undefined, after } as const;
      return { change, rearranged: server.clients.update(change) };
    });
    const event = { kind: "server", server, change: { kind: "changed", changes } } as const;
    expect(source.affected(event).map(nameOf)).toContain("roots");
  });

  it("brings the first tunnels of a client that had some before", () => {
    const { fleet, fill, text, context } = fleetOf(RELAY);
    fill(RELAY, { clients: [client("web")], tunnels: [tunnel("web", "1")] });
    const source = new TunnelsSource(context);
    expect(text(source)).toHaveLength(2);
    fill(RELAY, { clients: [client("web")] });
    expect(text(source)).toEqual([]);
    const both = [tunnel("web", "2"), tunnel("web", "3")];
    fill(RELAY, { clients: [client("web")], tunnels: both });
    const server = fleet.get(RELAY);
    if (server === undefined) throw new Error("no server");
    const changes = both.map((after) => {
      const id = `web/${after.id}`;
      const change = { entity: "tunnel", id, before: undefined, after } as const;
      return { change, rearranged: undefined };
    });
    const event = { kind: "server", server, change: { kind: "changed", changes } } as const;
    expect(source.affected(event).map(nameOf)).toContain("all");
  });
});

describe("the view of credentials", () => {
  it("shows below a credential its rotation, its live pairings and its clients", () => {
    const { text, fill, context } = fleetOf(RELAY);
    const rotation = {
      started_at: "2030-01-01T00:00:00Z",
      grace_ends_at: "2030-01-02T00:30:00Z",
      moved: 1,
      total: 2,
    };
    fill(RELAY, {
      clients: [client("web"), offline("db"), client("other", { client_auth_id: "lab" })],
      credentials: [credential("lab"), credential("fleet", { clients_total: 2, rotation })],
      pairings: [
        pairing("0123456789ABCDEF", { expires_at: "2030-01-01T01:08:00Z" }),
        pairing("0123456789ABCDEG", { state: "used" }),
      ],
    });
    expect(text(new CredentialsSource(context))).toEqual([
      "fleet | rotating, 1 of 2 moved \u00B7 2 clients \u00B7 0 online",
      "  New secret: 1 of 2 moved | old secret ends in 23 h",
      "  Pairing 0123\u2026 | expires in 8 min",
      "  db | last seen 60 min ago",
      "  web | ",
      "lab | unused",
      "  other | ",
    ]);
  });
});

describe("the tunnels view", () => {
  it("shows tunnels by client", () => {
    const { text, fill, context } = fleetOf(RELAY);
    const rdp = { lhost: "0.0.0.0", rhost: "10.1.1.1", rport: "3389" };
    fill(RELAY, {
      clients: [client("web"), client("idle")],
      tunnels: [tunnel("web", "1", rdp)],
    });
    expect(text(new TunnelsSource(context))).toEqual([
      "web | 1 tunnel",
      "  relay.example.com:20001 | \u2192 10.1.1.1:3389 Remote Desktop via web \u00B7 on the server \u00B7 idle",
    ]);
  });
});

describe("a tunnel to this computer", () => {
  it("brings its row, changes it in place, and takes it away again", async () => {
    const { fleet, fill, text, context } = fleetOf(RELAY);
    fill(RELAY, { clients: [client("web")] });
    const sources = [new ClientsSource(context), new TunnelsSource(context)];
    const seen: string[][] = [];
    for (const source of sources) text(source);
    fleet.changed.add((event) => {
      if (event.kind !== "localTunnel") return;
      seen.push(sources.flatMap((each) => each.affected(event)).map(nameOf));
    });
    const server = fleet.get(RELAY);
    if (server === undefined) throw new Error("no server");
    const remote = { host: "127.0.0.1", port: 22 };
    const opened = await fleet.tunnels.open({
      serverKey: server.key,
      clientId: "web",
      clientName: "web",
      remote,
      localPort: undefined,
      isThisComputer: false,
    });
    expect(seen.splice(0)).toEqual([["subtree client/clients/web", "all"]]);
    for (const source of sources) expect(text(source).join()).toContain("web:22 SSH \u00B7 idle");
    const changed = `row localTunnel/${opened.id}`;
    const local = connect(opened.localPort, "127.0.0.1");
    // its server has no token, so the connection is cut at once
    local.on("error", () => undefined);
    await eventually(() => expect(seen.splice(0)[0]).toEqual([changed, changed]));
    local.destroy();
    await fleet.tunnels.close(opened.id);
    expect(seen.at(-1)).toEqual(["subtree client/clients/web", "all"]);
    expect(text(new TunnelsSource(context))).toEqual([]);
  });
});

describe("the summary", () => {
  it("knows nothing to say without a server", () => {
    const { fleet } = fleetOf();
    expect(statusItemOf(fleet)).toBeUndefined();
    expect(viewMessage(fleet)).toBeUndefined();
    expect(contextOf(fleet)).toMatchObject({ hasServer: false, noClients: true });
  });

  it("counts over all servers, and says while data is old", () => {
    const { fleet, fill } = fleetOf(RELAY, "local");
    fill(RELAY, { clients: [client("a"), offline("b")] });
    fill("local", { clients: [client("c")] });
    expect(statusItemOf(fleet)?.text).toBe("$(vm) 2/3");
    expect(contextOf(fleet)).toMatchObject({ everConnected: true, hasLocalServer: true });
  });
});

describe("rows as arguments of commands", () => {
  it("accepts the tree's own rows and nothing that looks like them (S-17)", () => {
    const nodes = new Nodes();
    const row = nodes.get({ kind: "credential", serverKey: RELAY, authId: "fleet" });
    expect(nodes.owns(row)).toBe(true);
    expect(nodes.owns({ ...row })).toBe(false);
    expect(nodes.owns("fleet")).toBe(false);
    expect(nodes.owns(null)).toBe(false);
  });
});

describe("the gathering of stale rows", () => {
  const row = (authId: string): Node =>
    new Nodes().get({ kind: "credential", serverKey: "s", authId });

  it("draws once for many changes, and draws a row with its children if any asked for that", () => {
    const clock = new FakeClock();
    const draws: unknown[] = [];
    const stale = new StaleRows({ clock, draw: (rows) => draws.push(rows) });
    const [a, b] = [row("a"), row("b")];
    stale.add([
      { kind: "row", node: a },
      { kind: "row", node: b },
    ]);
    stale.add([
      { kind: "subtree", node: a },
      { kind: "row", node: a },
    ]);
    expect(draws).toEqual([]);
    clock.advance(50);
    expect(draws).toEqual([
      [
        { node: a, isForced: true },
        { node: b, isForced: false },
      ],
    ]);
    stale.add([{ kind: "all" }, { kind: "row", node: a }]);
    clock.advance(50);
    expect(draws[1]).toBe("all");
    stale.add([{ kind: "roots" }, { kind: "list", node: a }]);
    clock.advance(50);
    expect(draws[2]).toBe("roots");
    stale.add([{ kind: "list", node: a }]);
    clock.advance(50);
    expect(draws[3]).toEqual([{ node: a, isForced: true }]);
  });

  it("draws at once what somebody is about to be shown, and nothing where nothing is stale", () => {
    const clock = new FakeClock();
    const draws: unknown[] = [];
    const stale = new StaleRows({ clock, draw: (rows) => draws.push(rows) });
    stale.flush();
    expect(draws).toEqual([]);
    const node = row("a");
    stale.add([{ kind: "subtree", node }]);
    stale.flush();
    expect(draws).toEqual([[{ node, isForced: true }]]);
    clock.advance(2_000);
    expect(draws).toHaveLength(1);
    stale.add([{ kind: "all" }]);
    clock.advance(50);
    expect(draws).toHaveLength(2);
  });

  it("pauses after a costly redraw, in proportion and at most a second", () => {
    const clock = new FakeClock();
    let drawn = 0;
    const stale = new StaleRows({
      clock,
      draw: () => {
        drawn += 1;
        return 100_000;
      },
    });
    for (const waitMs of [50, 1000, 1000]) {
      const before = drawn;
      stale.add([{ kind: "all" }]);
      clock.advance(waitMs - 1);
      expect(drawn).toBe(before);
      clock.advance(1);
      expect(drawn).toBe(before + 1);
    }
  });
});
