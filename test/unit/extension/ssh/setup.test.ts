import { execFile } from "node:child_process";
import { chmod, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { type Host, handleOf } from "../../../../extension/src/ssh/hosts.ts";
import { KeepTold } from "../../../../extension/src/ssh/keepTold.ts";
import { type HostsOfServer, KnownHosts } from "../../../../extension/src/ssh/knownHosts.ts";
import { type Included, SshSetup } from "../../../../extension/src/ssh/setup.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
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
  const settings = { configFile: config };
  const launcher = { runtime: "/r", program: "/p", storage: join(folder, name), temporary: "/tmp" };
  const setup = new SshSetup({
    launcher,
    configFile: () => settings.configFile,
    userOf: (handle) => users[handle],
    memory: {
      get: () => included,
      set: async (next) => {
        included = next;
      },
    },
  });
  return { setup, config, users, settings };
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
    const { hosts, unknown, launcher } = setup.places;
    expect(await readdir(temp.path)).toEqual(["config", "rport.d"]);
    for (const file of [hosts, unknown, launcher])
      expect((await stat(file)).mode & 0o777).toBe(0o600);
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
    expect(await setup.aliasesOf(handle)).toEqual([]);
    await setup.write([host("f00d")]);
    expect(await setup.aliasesOf(handle)).toContain("f00d.rport");
    users[handle] = "deploy";
    expect(await setup.aliasesOf(handle)).toEqual([]);
    await setup.write([host("f00d")]);
    expect(await setup.aliasesOf(handle)).toContain("f00d.rport");
  });
});

describe("another configuration of ssh", () => {
  it("in the same folder gets the line, and what was written stays", async () => {
    await using temp = await tempDirectory();
    const { setup, config, settings } = editor(temp.path, "a");
    await writeFile(config, CONFIG);
    await setup.include();
    await setup.write([host("f00d")]);
    settings.configFile = join(temp.path, "other");
    await setup.include();
    expect(await readFile(config, "utf8")).toBe(CONFIG);
    const { stdout } = await run("ssh", ["-F", settings.configFile, "-G", "f00d.rport"]);
    expect(stdout).toContain(`hostkeyalias ${handleOf(host("f00d"))}`);
    await setup.remove();
    expect(await readdir(temp.path)).toEqual(["config"]);
  });

  it("in another folder gets line and files, and the first one is as it was", async () => {
    await using temp = await tempDirectory();
    const { setup, config, settings } = editor(temp.path, "a");
    await writeFile(config, CONFIG);
    await setup.include();
    await setup.write([host("f00d")]);
    settings.configFile = join(temp.path, "other", "config");
    await setup.include();
    await setup.write([host("f00d")]);
    expect(await readdir(temp.path)).toEqual(["config", "other"]);
    expect(await readFile(config, "utf8")).toBe(CONFIG);
    expect(await readdir(join(temp.path, "other"))).toEqual(["config", "rport.d"]);
  });

  it("that is the same file by another path keeps the line", async () => {
    await using temp = await tempDirectory();
    const { setup, config, settings } = editor(temp.path, "a");
    await writeFile(config, CONFIG);
    await setup.include();
    const link = join(temp.path, "link");
    await symlink(config, link);
    settings.configFile = link;
    await setup.include();
    expect(await readFile(config, "utf8")).toBe(`${setup.places.line}\n${CONFIG}`);
  });

  it("gets the line also when the one before can lose it no more, which is said", async () => {
    await using temp = await tempDirectory();
    const { setup, config, settings } = editor(temp.path, "a");
    await writeFile(config, CONFIG);
    await setup.include();
    await chmod(config, 0o400);
    settings.configFile = join(temp.path, "other");
    await expect(setup.include()).rejects.toThrow(`${config} cannot be changed: it is read-only`);
    expect(await readFile(settings.configFile, "utf8")).toBe(`${setup.places.line}\n`);
    expect(setup.included?.config).toBe(settings.configFile);
  });

  it.each(["no full path", "/a/*/config"])(
    "that cannot be one does not keep what there is from being taken away: %s",
    async (wrong) => {
      await using temp = await tempDirectory();
      const { setup, config, settings } = editor(temp.path, "a");
      expect(setup.told?.config).toBe(config);
      await writeFile(config, CONFIG);
      await setup.include();
      await setup.write([host("f00d")]);
      settings.configFile = wrong;
      expect(setup.told).toMatchObject({ config, line: `Include "${temp.path}/rport.d/*.conf"` });
      expect(await setup.isThere()).toBe(true);
      await setup.remove();
      expect(await readFile(config, "utf8")).toBe(CONFIG);
      expect(await readdir(temp.path)).toEqual(["config"]);
      expect(setup.told).toBe(undefined);
      expect(await setup.isThere()).toBe(false);
      await setup.remove();
    },
  );
});

/** Waits for what comes sooner or later, when whoever writes has rested. */
function seen(clock: FakeClock, check: () => unknown): Promise<void> {
  return eventually(async () => {
    clock.advance(30_000);
    await check();
  });
}

describe("the window that keeps ssh told", () => {
  async function kept() {
    const stack = new AsyncDisposableStack();
    const { path } = stack.use(await tempDirectory());
    const { setup, config, settings } = editor(path, "a");
    const clients = new Map([["f00d", client("f00d", { name: "web-01" })]]);
    const server = { ...RELAY, state: { kind: "connected" }, mirror: { maps: { clients } } };
    const servers: HostsOfServer[] = [server];
    const clock = new FakeClock();
    const remembered = join(path, "ssh-hosts.json");
    const hostsNow = () =>
      new KnownHosts({ path: remembered, servers: () => servers, log: silentLog });
    const state = { isOn: false, doubt: "" };
    const warned: string[] = [];
    const keepWith = (hosts: KnownHosts) =>
      new KeepTold({
        setup,
        hosts,
        isOn: () => state.isOn,
        doubt: () => state.doubt,
        warn: (why) => warned.push(why),
        clock,
        log: silentLog,
      });
    const told = async () => readFile(setup.places.hosts, "utf8").catch(() => "");
    await writeFile(config, CONFIG);
    return {
      setup,
      config,
      settings,
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
    await seen(clock, async () => expect(await told()).toContain("Host web-01.rport "));
    await seen(clock, async () => expect(await readFile(config, "utf8")).toContain("Include "));
    clients.set("beef", client("beef", { name: "db-01" }));
    keep.changed();
    clock.advance(300);
    await seen(clock, async () => expect(await told()).toContain("Host db-01.rport "));
    state.isOn = false;
    keep.changed();
    clock.advance(300);
    await seen(clock, async () => expect(await readFile(config, "utf8")).toBe(CONFIG));
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
    await seen(clock, async () => expect(await readFile(all.remembered, "utf8")).toContain("f00d"));
    keep.dispose();
    servers[0] = {
      ...server,
      state: { kind: "connecting" },
      mirror: { maps: { clients: new Map() } },
    };
    const next = all.keepWith(all.hostsNow());
    next.start();
    clock.advance(300);
    await seen(clock, () => expect(clock.timers).toBe(0));
    expect(await told()).toContain("Host web-01.rport ");
    servers.length = 0;
    next.changed();
    clock.advance(300);
    await seen(clock, async () => expect(await told()).not.toContain("Host "));
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
    await seen(clock, async () => expect(await told()).toContain("Host web-01.rport "));
    expect(await readFile(config, "utf8")).toBe(CONFIG);
    vi.spyOn(setup, "write").mockRejectedValue(new Error("the disk is full"));
    for (const id of ["b1", "b2"]) {
      clients.set(id, client(id));
      keep.changed();
      clock.advance(300);
    }
    await seen(clock, () => expect(warned).toEqual(["the disk is full"]));
    keep.dispose();
  });

  it("still tells of hosts when another configuration in the same folder gets the line", async () => {
    await using all = await kept();
    const { keep, clock, state, settings, told, config } = all;
    state.isOn = true;
    keep.start();
    clock.advance(300);
    await seen(clock, async () => expect(await readFile(all.remembered, "utf8")).toContain("f00d"));
    settings.configFile = join(dirname(config), "other");
    keep.changed();
    clock.advance(300);
    await seen(clock, async () =>
      expect(await readFile(settings.configFile, "utf8")).toContain("Include "),
    );
    await keep.remove();
    expect(await told()).toBe("");
    expect(await readdir(dirname(config))).toEqual(["config"]);
    keep.dispose();
  });

  it("keeps no hosts of the last time when somebody has had all of it removed, in whichever window", async () => {
    await using all = await kept();
    const { keep, clock, state, config, remembered } = all;
    state.isOn = true;
    keep.start();
    clock.advance(300);
    await seen(clock, async () => expect(await readFile(config, "utf8")).toContain("Include "));
    await seen(clock, async () => expect(await readFile(remembered, "utf8")).toContain("f00d"));
    state.isOn = false;
    const other = all.keepWith(all.hostsNow());
    await other.remove();
    await expect(stat(remembered)).rejects.toThrow();
    // and nothing of another time, whoever took the rest away
    await writeFile(remembered, "[]");
    keep.changed();
    clock.advance(300);
    await seen(clock, () => expect(stat(remembered)).rejects.toThrow());
    keep.dispose();
  });

  it("says once which account it cannot tell", async () => {
    await using all = await kept();
    const { keep, clock, state, warned } = all;
    Object.assign(state, { isOn: true, doubt: "no account" });
    keep.start();
    clock.advance(300);
    await seen(clock, () => expect(warned).toEqual(["no account"]));
    keep.changed();
    clock.advance(300);
    await keep.remove();
    expect(warned).toEqual(["no account"]);
    keep.dispose();
  });

  it("does not begin anew when it was closed", async () => {
    await using all = await kept();
    const { keep, clock, state, told } = all;
    state.isOn = true;
    keep.dispose();
    keep.start();
    expect(clock.timers).toBe(0);
    expect(await told()).toBe("");
  });
});
