import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { MirrorChange } from "../../../../extension/src/model/mirror.ts";
import type { FleetChange } from "../../../../extension/src/servers/fleet.ts";
import {
  concernsHosts,
  type HostsOfServer,
  KnownHosts,
} from "../../../../extension/src/ssh/knownHosts.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { client, credential } from "../entities.ts";
import { fleetOf, RELAY } from "../fleetFixture.ts";
import { silentLog } from "../serverFixture.ts";

const HOSTS_MAX = 20_000;

/** Known hosts of one connected server, and what their log warns of. */
function known(path: string, clients: HostsOfServer["mirror"]["maps"]["clients"]) {
  const warned: unknown[] = [];
  const log = { ...silentLog, warn: (...line: readonly unknown[]) => void warned.push(line) };
  const state = { kind: "connected" };
  const server = { key: RELAY, name: "Relay", state, mirror: { maps: { clients } } };
  return { hosts: new KnownHosts({ path, servers: () => [server], log }), server, warned };
}

describe("the hosts that ssh can be told of", () => {
  it("are looked up once, until something has changed", async () => {
    await using temp = await tempDirectory();
    const clients = new Map([["f00d", client("f00d")]]);
    const { hosts } = known(join(temp.path, "hosts.json"), clients);
    const { all } = hosts;
    expect(hosts.all).toBe(all);
    clients.set("beef", client("beef"));
    hosts.changed();
    expect(hosts.all.map(({ id }) => id)).toEqual(["f00d", "beef"]);
  });

  it("has those of the last time once they are read, though somebody has asked before", async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "hosts.json");
    const clients = new Map([["f00d", client("f00d")]]);
    await known(path, clients).hosts.remember();
    const { hosts, server } = known(path, new Map());
    server.state.kind = "connecting";
    expect(hosts.all).toEqual([]);
    await hosts.load();
    expect(hosts.all.map(({ id }) => id)).toEqual(["f00d"]);
    await hosts.forget();
    expect(hosts.all).toEqual([]);
    await expect(readFile(path)).rejects.toThrow();
  });

  it("says how many are left out, each time that it is another number", async () => {
    await using temp = await tempDirectory();
    const one = client("f00d");
    const ids = Array.from({ length: HOSTS_MAX + 1 }, (_, n) => `h${n}`);
    const clients = new Map(ids.map((id) => [id, one]));
    const { hosts, warned } = known(join(temp.path, "hosts.json"), clients);
    expect(hosts.all).toHaveLength(HOSTS_MAX);
    hosts.changed();
    expect(hosts.all).toHaveLength(HOSTS_MAX);
    const told = "ssh is not told of all hosts: there are too many";
    expect(warned).toEqual([[told, { told: HOSTS_MAX, left: 1 }]]);
    clients.set("more", client("more"));
    hosts.changed();
    expect(hosts.all).toHaveLength(HOSTS_MAX);
    expect(warned).toHaveLength(2);
  });

  it("knows those that are left out, too, for who asks for one of them", async () => {
    await using temp = await tempDirectory();
    const one = client("f00d");
    const ids = Array.from({ length: HOSTS_MAX + 1 }, (_, n) => `h${n}`);
    const clients = new Map(ids.map((id) => [id, { ...one, id: id as typeof one.id }]));
    const { hosts } = known(join(temp.path, "hosts.json"), clients);
    expect(hosts.everyone).toHaveLength(HOSTS_MAX + 1);
    expect(hosts.everyone).toBe(hosts.everyone);
    clients.delete("h0");
    hosts.changed();
    expect(hosts.everyone).toBe(hosts.all);
  });

  it("says how many it cannot keep for the next time, once", async () => {
    await using temp = await tempDirectory();
    const long = client("long", { name: "x".repeat(1_000), hostname: "y".repeat(1_000) });
    const ids = Array.from({ length: 17_000 }, (_, n) => `h${n}`);
    const clients = new Map(ids.map((id) => [id, { ...long, id: id as typeof long.id }]));
    const { hosts, warned } = known(join(temp.path, "hosts.json"), clients);
    await hosts.remember();
    await hosts.remember();
    const why = "not all hosts are kept for the next time: their names are too long";
    const facts = { kept: expect.any(Number), left: expect.any(Number) };
    expect(warned).toEqual([[why, facts]]);
  });

  it("says that the file with those of the last time is too large", async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "hosts.json");
    await writeFile(path, `[${" ".repeat(32 * 1024 * 1024)}]`);
    const { hosts, warned } = known(path, new Map());
    await hosts.load();
    expect(warned).toEqual([["the file with the hosts of the last time is too large to be read"]]);
  });
});

describe("a change of what the editor knows", () => {
  const { fleet } = fleetOf(RELAY);
  const server = fleet.get(RELAY);
  if (server === undefined) throw new Error("there is no server");
  const before = client("f00d");
  const ofServer = (change: MirrorChange): FleetChange => ({
    kind: "server",
    server,
    change: { kind: "changed", changes: [{ change, rearranged: undefined }] },
  });
  const swap = (after: typeof before | undefined, first: typeof before | undefined = before) =>
    ofServer({ entity: "client", id: "f00d", before: first, after });

  it.each<readonly [string, FleetChange]>([
    ["servers come or go", { kind: "servers" }],
    ["a server is back or away", { kind: "server", server, change: { kind: "state" } }],
    ["everything is new", { kind: "server", server, change: { kind: "reset" } }],
    ["a host goes", swap(undefined)],
    ["a host comes", ofServer({ entity: "client", id: "f00d", before: undefined, after: before })],
    ["a host gets another name", swap({ ...before, name: "web-02" })],
    ["a host gets another host name", swap({ ...before, hostname: "web-02" })],
  ])("is one of what ssh is told where %s", (_, change) => {
    expect(concernsHosts(change)).toBe(true);
  });

  it("is none where a host is busy, or something else than a host has changed", () => {
    expect(concernsHosts(swap({ ...before, mem_total: 7, tags: ["new"] }))).toBe(false);
    const entity = "credential";
    const added = ofServer({ entity, id: "fleet", before: undefined, after: credential("fleet") });
    expect(concernsHosts(added)).toBe(false);
  });
});
