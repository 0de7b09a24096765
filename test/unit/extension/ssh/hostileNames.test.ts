import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configText } from "../../../../extension/src/ssh/config/configText.ts";
import { findHost } from "../../../../extension/src/ssh/findHost.ts";
import { type Host, handleOf, nameHosts } from "../../../../extension/src/ssh/hosts.ts";
import { KeepTold } from "../../../../extension/src/ssh/keepTold.ts";
import { type HostsOfServer, KnownHosts } from "../../../../extension/src/ssh/knownHosts.ts";
import type { SshSetup } from "../../../../extension/src/ssh/setup.ts";
import { FakeClock } from "../../../support/clock.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { client } from "../entities.ts";
import { silentLog } from "../serverFixture.ts";

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
    expect({ short, left }).toEqual({ short: HOSTS_MAX, left: 0 });
    const line = `Host web.rport web.prod.rport f00d.rport f00d.prod.rport ${handleOf(web)}\n`;
    expect(text).toContain(line);
    expect(textOf([web])).toMatchObject({ short: 0, left: 0 });
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

describe("keeping ssh told of hosts that change all the time", () => {
  it("has one write wait for the one before, and rests behind a long one", async () => {
    const clock = new FakeClock();
    const writes: (() => void)[] = [];
    const write = () => {
      const { promise, resolve } = Promise.withResolvers<object>();
      writes.push(() => resolve({ text: "", short: 0, left: 0 }));
      return promise;
    };
    const places = { config: "/c" };
    const setup = { places, included: places, write } as unknown as SshSetup;
    const hosts = { changed: () => undefined, load: async () => undefined, all: [] };
    const known = { ...hosts, remember: async () => undefined } as unknown as KnownHosts;
    const keep = new KeepTold({
      setup,
      hosts: known,
      clock,
      log: silentLog,
      isOn: () => true,
      doubt: () => "",
      warn: () => undefined,
    });
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    keep.start();
    clock.advance(300);
    await settled();
    expect(writes).toHaveLength(1);
    for (let count = 0; count < 10; count += 1) {
      keep.changed();
      clock.advance(100);
      await settled();
    }
    expect(writes).toHaveLength(1);
    writes[0]?.();
    await settled();
    clock.advance(8_900);
    await settled();
    expect(writes).toHaveLength(1);
    clock.advance(100);
    await settled();
    expect(writes).toHaveLength(2);
    writes[1]?.();
    await settled();
    clock.advance(60_000);
    await settled();
    expect(writes).toHaveLength(2);
    keep.dispose();
  });
});
