import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configText } from "../../../../extension/src/ssh/config/configText.ts";
import { findHost as find } from "../../../../extension/src/ssh/findHost.ts";
import { type Host, handleOf, nameHosts } from "../../../../extension/src/ssh/hosts.ts";
import { KeepTold } from "../../../../extension/src/ssh/keepTold.ts";
import { type HostsOfServer, KnownHosts } from "../../../../extension/src/ssh/knownHosts.ts";
import type { SshSetup } from "../../../../extension/src/ssh/setup.ts";
import { FakeClock } from "../../../support/clock.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { client } from "../entities.ts";
import { silentLog } from "../serverFixture.ts";
import { findable } from "./findable.ts";

const EVIL = { serverKey: "https://evil.example.com", serverName: "Evil" };
const PROD = { serverKey: "https://prod.example.com", serverName: "Prod" };
const HOSTS_MAX = 20_000;
const TEXT_MAX = 12 * 1024 * 1024;

function host(id: string, changes: Partial<Host> = {}): Host {
  return { ...EVIL, id, name: "", hostname: "", ...changes };
}

/** As many as may be, each with names that are as long as names may be. */
function crowd(count = HOSTS_MAX): readonly Host[] {
  return Array.from({ length: count }, (_, index) => {
    const text = (kind: string) => `${kind}${index}`.padEnd(63, "x");
    return host(text("i"), { name: text("N"), hostname: text("H") });
  });
}

const findHost = (asked: string, hosts: readonly Host[]) => find(asked, findable(hosts)).host;
const textOf = (hosts: readonly Host[]) =>
  configText({ names: nameHosts(hosts), userOf: () => undefined, launcher: "/a/launcher" });

function server(of: typeof EVIL, ids: readonly string[], kind = "connected"): HostsOfServer {
  const clients = new Map(ids.map((id) => [id, client(id)]));
  return { key: of.serverKey, name: of.serverName, state: { kind }, mirror: { maps: { clients } } };
}

const many = Array.from({ length: HOSTS_MAX + 5 }, (_, index) => `h${index}`);

describe("the hosts of a server that wants all of ssh for itself", () => {
  it("S-55: have one name in a few spellings at most, since the time of ssh grows with the square of them", () => {
    const letters = [..."abcdefghijkl"];
    const hosts = Array.from({ length: 4_096 }, (_, bits) =>
      host(`h${bits}`, {
        name: letters.map((one, at) => ((bits >> at) & 1 ? one.toUpperCase() : one)).join(""),
      }),
    );
    const { ambiguous } = nameHosts(hosts);
    expect(ambiguous.map(([name]) => name)).toContain("abcdefghijkl.rport");
    const lines = textOf(hosts)
      .text.split("\n")
      .filter((line) => line.startsWith("Host "));
    const longest = Math.max(...lines.map((line) => line.split(" ").length));
    expect(longest).toBeLessThanOrEqual(14);
    expect(() => findHost("ABCDEFGHIJKl", hosts)).toThrow("Several hosts are called");
  });

  it("S-55: take no place from the hosts of the others, whatever their order", async () => {
    await using temp = await tempDirectory();
    const warned: unknown[] = [];
    const log = { ...silentLog, warn: (...line: readonly unknown[]) => void warned.push(line) };
    const path = join(temp.path, "hosts.json");
    const servers = [server(EVIL, many), server(PROD, ["web", "db"])];
    const hosts = new KnownHosts({ path, servers: () => servers, log });
    expect(hosts.all).toHaveLength(HOSTS_MAX);
    expect(hosts.all.slice(-2).map(({ id }) => id)).toEqual(["web", "db"]);
    const why = "ssh is not told of all hosts: there are too many";
    expect(warned).toEqual([[why, { told: HOSTS_MAX, left: 7 }]]);
    await hosts.remember();

    const away = [server(EVIL, many), server(PROD, [], "connecting")];
    const next = new KnownHosts({ path, servers: () => away, log: silentLog });
    await next.load();
    expect(next.all.slice(-2).map(({ id }) => id)).toEqual(["web", "db"]);
  });

  it("S-55: are remembered with no more text than can be read again, and those of others with all of theirs", async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "hosts.json");
    const long = client("long", { name: "x".repeat(1_000), hostname: "y".repeat(1_000) });
    const ids = many.slice(0, 17_000);
    const clients = new Map(ids.map((id) => [id, { ...long, id: id as typeof long.id }]));
    const evil = { ...server(EVIL, []), mirror: { maps: { clients } } };
    const servers: readonly HostsOfServer[] = [evil, server(PROD, ["web"])];
    await new KnownHosts({ path, servers: () => servers, log: silentLog }).remember();
    const away = [server(PROD, [], "connecting")];
    const next = new KnownHosts({ path, servers: () => away, log: silentLog });
    await next.load();
    expect(next.all.map(({ id }) => id)).toEqual(["web"]);
  });

  it("S-55: have short names where there is no room for all, and those of others have all of theirs", () => {
    const web = host("f00d", { ...PROD, name: "web" });
    const { text, short, left } = textOf([...crowd(), web]);
    expect(text.length).toBeLessThanOrEqual(TEXT_MAX + 1_000);
    expect({ short, left }).toEqual({ short: HOSTS_MAX, left: [] });
    const line = `Host web.rport web.prod.rport f00d.rport f00d.prod.rport ${handleOf(web)}\n`;
    expect(text).toContain(line);
    expect(textOf([web])).toMatchObject({ short: 0, left: [] });
  });

  it("S-55: are left out where there is no room even for short names, and it is known which", () => {
    const web = host("f00d", { ...PROD, name: "web" });
    const hosts = [...many.slice(0, 14_000).map((id) => host(id)), web];
    const launcher = `/${"x".repeat(1_000)}`;
    const names = nameHosts(hosts);
    const { text, left } = configText({ names, userOf: () => undefined, launcher });
    expect(left).not.toContain(handleOf(web));
    const told = [...text.matchAll(/HostKeyAlias (\S+)\n/g)].map(([, handle = ""]) => handle);
    expect(told.length).toBeLessThan(hosts.length);
    expect(new Set([...told, ...left])).toEqual(new Set(hosts.map(handleOf)));
    expect(told.length + left.length).toBe(hosts.length);
  });

  it("S-55: have no name that says that it is of another server, which may have no host of that name yet", () => {
    const own = host("beef", { ...PROD, name: "web" });
    const thieves = [
      host("one", { name: "db.prod" }),
      host("two", { hostname: "DB.Prod" }),
      host("db.prod"),
    ];
    for (const thief of thieves) {
      const { named } = nameHosts([thief, own]);
      const aliases = named.flatMap((each) => each.aliases.map((alias) => alias.toLowerCase()));
      expect(aliases).not.toContain("db.prod.rport");
      expect(() => findHost("db.prod", [thief, own])).toThrow("No host is called db.prod");
      expect(() => findHost("db.prod.rport", [thief, own])).toThrow("No host is called");
      expect(findHost(handleOf(thief), [thief, own])).toBe(thief);
    }
    const named = host("cafe", { ...PROD, name: "db.prod" });
    expect(findHost("db.prod", [named, own])).toBe(named);
  });
});

/** A window that keeps `ssh` told, each of whose writes takes until somebody ends it. */
function slowWriter() {
  const clock = new FakeClock();
  const writes: (() => void)[] = [];
  const write = () => {
    const { promise, resolve } = Promise.withResolvers<object>();
    writes.push(() => resolve({ text: "", short: 0, left: ["f00d.rport"] }));
    return promise;
  };
  const places = { config: "/c" };
  const isThere = async () => false;
  const setup = { places, included: places, write, isThere } as unknown as SshSetup;
  const nothing = async () => undefined;
  const hosts = { changed: () => undefined, load: nothing, remember: nothing, forget: nothing };
  const known = { ...hosts, all: [] } as unknown as KnownHosts;
  const keep = new KeepTold({
    setup,
    hosts: known,
    clock,
    log: silentLog,
    isOn: () => true,
    doubt: () => "",
    warn: () => undefined,
  });
  /** Lets time pass, and what comes of it happen. */
  const pass = async (ms: number) => {
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const end = async (index: number) => {
    writes[index]?.();
    await pass(0);
  };
  return { keep, writes, pass, end, [Symbol.dispose]: () => keep.dispose() };
}

describe("keeping ssh told of hosts that change all the time", () => {
  it("has one write wait for the one before, and rests behind a long one", async () => {
    using writer = slowWriter();
    const { keep, writes, pass, end } = writer;
    keep.start();
    await pass(300);
    expect(writes).toHaveLength(1);
    for (let count = 0; count < 10; count += 1) {
      keep.changed();
      await pass(100);
    }
    expect(writes).toHaveLength(1);
    await end(0);
    await pass(8_900);
    expect(writes).toHaveLength(1);
    await pass(100);
    expect(writes).toHaveLength(2);
    await end(1);
    await pass(60_000);
    expect(writes).toHaveLength(2);
  });

  it("does not rest while somebody waits for what comes next", async () => {
    using writer = slowWriter();
    const { keep, writes, pass, end } = writer;
    keep.start();
    await pass(300);
    await pass(5_000);
    await end(0);
    keep.changed();
    await pass(10_000);
    expect(writes).toHaveLength(1);
    keep.hurry();
    await pass(300);
    expect(writes).toHaveLength(2);
    // behind the one that is under way
    keep.changed();
    keep.hurry();
    await pass(5_000);
    await end(1);
    await pass(300);
    expect(writes).toHaveLength(3);
    await pass(5_000);
    await end(2);
    keep.changed();
    await pass(10_000);
    expect(writes).toHaveLength(3);
    keep.hurry();
    keep.changed();
    await pass(300);
    expect(writes).toHaveLength(4);
  });

  it("knows which hosts there was no place for", async () => {
    using writer = slowWriter();
    const { keep, pass, end } = writer;
    keep.start();
    await pass(300);
    expect(keep.isLeft("f00d.rport")).toBe(false);
    await end(0);
    expect(keep.isLeft("f00d.rport")).toBe(true);
    expect(keep.isLeft("beef.rport")).toBe(false);
    await keep.remove();
    expect(keep.isLeft("f00d.rport")).toBe(false);
  });
});
