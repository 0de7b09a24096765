import { execFile } from "node:child_process";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { type Host, handleOf } from "../../../../extension/src/ssh/hosts.ts";
import { KeepTold } from "../../../../extension/src/ssh/keepTold.ts";
import { type HostsOfServer, KnownHosts } from "../../../../extension/src/ssh/knownHosts.ts";
import { type Included, SshSetup } from "../../../../extension/src/ssh/setup.ts";
import { FakeClock } from "../../../support/clock.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { client } from "../entities.ts";
import { silentLog } from "../serverFixture.ts";

const run = promisify(execFile);
const RELAY = { key: "https://relay.example.com", name: "Relay" };
const CONFIG = "Host mine\n  User me";

/** An editor of somebody with this configuration of `ssh`. */
function editor(folder: string, name: string, users: Record<string, string> = {}) {
  let included: Included | undefined;
  const config = join(folder, "config");
  const launcher = { runtime: "/r", program: "/p", storage: join(folder, name), temporary: "/tmp" };
  const setup = new SshSetup({
    launcher,
    configFile: () => config,
    userOf: (handle) => users[handle],
    memory: {
      get: () => included,
      set: async (next) => {
        included = next;
      },
    },
  });
  return { setup, config, users };
}

const host = (id: string): Host => ({
  serverKey: RELAY.key,
  serverName: RELAY.name,
  id,
  name: "",
  hostname: "",
});

describe("telling ssh of hosts", () => {
  it("is undone to the byte, with all files that were made for it", async () => {
    await using temp = await tempDirectory();
    const { setup, config } = editor(temp.path, "a");
    await writeFile(config, CONFIG);
    await setup.include();
    await setup.write([host("f00d")]);
    const { hosts, launcher } = setup.places;
    expect(await readdir(temp.path)).toEqual(["config", "rport.d"]);
    for (const file of [hosts, launcher]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    await setup.remove();
    expect(await readdir(temp.path)).toEqual(["config"]);
    expect(await readFile(config, "utf8")).toBe(CONFIG);
    expect(await setup.isThere()).toBe(false);
  });

  it("leaves what another editor of the same person has told, and the line for it", async () => {
    await using temp = await tempDirectory();
    const one = editor(temp.path, "a");
    const other = editor(temp.path, "b");
    await writeFile(one.config, CONFIG);
    await one.setup.include();
    await one.setup.write([host("f00d")]);
    await other.setup.include();
    await other.setup.write([host("beef")]);
    await one.setup.remove();
    const { stdout } = await run("ssh", ["-F", one.config, "-G", "beef.rport"]);
    expect(stdout).toContain(`hostkeyalias ${handleOf(host("beef"))}`);
    await other.setup.remove();
    expect(await readFile(one.config, "utf8")).toBe(CONFIG);
  });

  it("knows when ssh knows a host, and as whom", async () => {
    await using temp = await tempDirectory();
    const { setup, users } = editor(temp.path, "a");
    const handle = handleOf(host("f00d"));
    expect(await setup.knows(handle)).toBe(false);
    await setup.write([host("f00d")]);
    expect(await setup.knows(handle)).toBe(true);
    users[handle] = "deploy";
    expect(await setup.knows(handle)).toBe(false);
    await setup.write([host("f00d")]);
    expect(await setup.knows(handle)).toBe(true);
  });
});

describe("the window that keeps ssh told", () => {
  async function kept() {
    const stack = new AsyncDisposableStack();
    const { path } = stack.use(await tempDirectory());
    const { setup, config } = editor(path, "a");
    const clients = new Map([["f00d", client("f00d", { name: "web-01" })]]);
    const server = { ...RELAY, state: { kind: "connected" }, mirror: { maps: { clients } } };
    const servers: HostsOfServer[] = [server];
    const clock = new FakeClock();
    const remembered = join(path, "ssh-hosts.json");
    const hostsNow = () =>
      new KnownHosts({ path: remembered, servers: () => servers, log: silentLog });
    const state = { isOn: false };
    const warned: string[] = [];
    const keepWith = (hosts: KnownHosts) =>
      new KeepTold({
        setup,
        hosts,
        isOn: () => state.isOn,
        warn: (why) => warned.push(why),
        clock,
        log: silentLog,
      });
    const told = async () => readFile(setup.places.hosts, "utf8").catch(() => "");
    await writeFile(config, CONFIG);
    return {
      setup,
      config,
      clients,
      server,
      servers,
      clock,
      state,
      warned,
      told,
      hostsNow,
      keep: keepWith(hostsNow()),
      keepWith,
      remembered,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  }

  it("writes nothing before somebody wants it, then what is there, and takes it away again", async () => {
    await using all = await kept();
    const { keep, clock, state, config, told, clients } = all;
    keep.changed();
    expect(clock.timers).toBe(0);
    keep.start();
    clock.advance(300);
    state.isOn = true;
    keep.changed();
    clock.advance(300);
    await vi.waitFor(async () => expect(await told()).toContain("Host web-01.rport "));
    await vi.waitFor(async () => expect(await readFile(config, "utf8")).toContain("Include "));
    clients.set("beef", client("beef", { name: "db-01" }));
    keep.changed();
    clock.advance(300);
    await vi.waitFor(async () => expect(await told()).toContain("Host db-01.rport "));
    state.isOn = false;
    keep.changed();
    clock.advance(300);
    await vi.waitFor(async () => expect(await readFile(config, "utf8")).toBe(CONFIG));
    expect(await told()).toBe("");
    await expect(stat(all.remembered)).rejects.toThrow();
    keep.dispose();
  });

  it("keeps the hosts of a server that is away, and forgets those of one that is not configured", async () => {
    await using all = await kept();
    const { keep, clock, state, told, servers, server } = all;
    state.isOn = true;
    keep.start();
    clock.advance(300);
    await vi.waitFor(async () => expect(await readFile(all.remembered, "utf8")).toContain("f00d"));
    keep.dispose();
    servers[0] = {
      ...server,
      state: { kind: "connecting" },
      mirror: { maps: { clients: new Map() } },
    };
    const next = all.keepWith(all.hostsNow());
    next.start();
    clock.advance(300);
    await vi.waitFor(() => expect(clock.timers).toBe(0));
    expect(await told()).toContain("Host web-01.rport ");
    servers.length = 0;
    next.changed();
    clock.advance(300);
    await vi.waitFor(async () => expect(await told()).not.toContain("Host "));
    next.dispose();
  });

  it("says once why it cannot, and does not put back a line that somebody has taken out", async () => {
    await using all = await kept();
    const { keep, clock, state, config, warned, setup, clients, told } = all;
    state.isOn = true;
    await setup.include();
    await writeFile(config, CONFIG);
    keep.start();
    clock.advance(300);
    await vi.waitFor(async () => expect(await told()).toContain("Host web-01.rport "));
    expect(await readFile(config, "utf8")).toBe(CONFIG);
    vi.spyOn(setup, "write").mockRejectedValue(new Error("the disk is full"));
    for (const id of ["b1", "b2"]) {
      clients.set(id, client(id));
      keep.changed();
      clock.advance(300);
    }
    await vi.waitFor(() => expect(warned).toEqual(["the disk is full"]));
    keep.dispose();
  });
});
