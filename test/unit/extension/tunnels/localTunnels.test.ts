import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemCode } from "../../../../extension/src/support/describeError.ts";
import { IdleTunnels } from "../../../../extension/src/tunnels/idleTunnels.ts";
import type { LocalTunnel } from "../../../../extension/src/tunnels/localTunnel.ts";
import { LocalTunnels } from "../../../../extension/src/tunnels/localTunnels.ts";
import type { LocalTunnelsDeps } from "../../../../extension/src/tunnels/localTunnelsDeps.ts";
import { MemoryFile } from "../../../../extension/src/tunnels/memory/memoryFile.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { freePort } from "../../../support/freePort.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { silentLog } from "../serverFixture.ts";

const RELAY = "https://relay.example.com";

async function computer() {
  const directory = await tempDirectory();
  const stack = new AsyncDisposableStack();
  stack.use(directory);
  const clock = new FakeClock();
  const access = async () => ({ kind: "noToken" }) as const;
  return {
    clock,
    /** The tunnels of a window that has just been opened, or opened again. */
    start(look?: LocalTunnelsDeps["look"], idleLimitMs?: () => number) {
      const memory = new MemoryFile({ path: join(directory.path, "tunnels.json"), log: silentLog });
      const deps = { accessTo: () => access, clock, log: silentLog, memory, look, idleLimitMs };
      return stack.adopt(new LocalTunnels(deps), (each) => each.dispose());
    },
    /** What is remembered. */
    text: () => readFile(join(directory.path, "tunnels.json"), "utf8"),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function request(port: number, localPort?: number) {
  const remote = { host: "127.0.0.1", port };
  const client = { clientId: "machine-3", clientName: "db-01" };
  return { ...client, serverKey: RELAY, remote, localPort, isThisComputer: false };
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  // it is cut at once, which may be seen before that it was there
  const isOpen = await once(socket, "close")
    .then(() => true)
    .catch((error: unknown) => systemCode(error) !== "ECONNREFUSED");
  socket.destroy();
  return isOpen;
}

describe("a tunnel that nobody uses", () => {
  const LIMIT_MS = 30 * 60_000;

  it("is closed after the time that is set, and says so in its row, which has it back", async () => {
    await using home = await computer();
    let limitMs = 0;
    const tunnels = home.start(undefined, () => limitMs);
    const { id, localPort } = await tunnels.open(request(2_022));
    home.clock.advance(LIMIT_MS);
    expect(tunnels.get(id)).toMatchObject({ isOpen: true });
    limitMs = LIMIT_MS;
    home.clock.advance(60_000);
    const why = "It was closed: nobody used it for 30 minutes.";
    expect(tunnels.get(id)).toMatchObject({ isOpen: false, failure: why });
    expect(await isListening(localPort)).toBe(false);
    expect(await tunnels.reopen(id)).toMatchObject({ isOpen: true, localPort, failure: undefined });
    home.clock.advance(LIMIT_MS - 60_000);
    expect(tunnels.get(id)).toMatchObject({ isOpen: true });
  });

  it("is in use while a connection through it is open, and not idle before that has ended", async () => {
    const clock = new FakeClock();
    const ended: string[] = [];
    const idle = new IdleTunnels({ clock, limitMs: () => LIMIT_MS, end: (id) => ended.push(id) });
    idle.see("one", 0);
    idle.see("one", 1);
    clock.advance(2 * LIMIT_MS);
    expect(ended).toEqual([]);
    idle.see("one", 0);
    clock.advance(LIMIT_MS - 60_000);
    expect(ended).toEqual([]);
    clock.advance(60_000);
    expect(ended).toEqual(["one"]);
    idle.forget("one");
    clock.advance(2 * LIMIT_MS);
    expect(ended).toEqual(["one"]);
  });

  it.each([
    ["forward", 2 * LIMIT_MS],
    ["back", -2 * LIMIT_MS],
  ])("is closed when it is time, also when the computer's clock is set %s", (_way, ms) => {
    const clock = new FakeClock();
    const ended: string[] = [];
    const idle = new IdleTunnels({ clock, limitMs: () => LIMIT_MS, end: (id) => ended.push(id) });
    idle.see("one", 0);
    clock.jump(ms);
    clock.advance(LIMIT_MS - 60_000);
    expect(ended).toEqual([]);
    clock.advance(60_000);
    expect(ended).toEqual(["one"]);
  });
});

describe("what a tunnel leads to", () => {
  it("is found out when it is opened, told, and remembered; opened again, it is known", async () => {
    await using home = await computer();
    const looks: number[] = [];
    const found = Promise.withResolvers<"ssh">();
    const first = home.start((_local, remotePort) => {
      looks.push(remotePort);
      return found.promise;
    });
    const changed = new Promise<LocalTunnel>((resolve) => {
      first.changed.add(({ tunnel }) => tunnel.kind === undefined || resolve(tunnel));
    });
    const opened = await first.open({ ...request(2_022), isTried: true });
    expect(opened).toMatchObject({ kind: undefined, connections: 0 });
    found.resolve("ssh");
    expect(await changed).toEqual({ ...opened, kind: "ssh" });
    await eventually(async () => expect(await home.text()).toContain('"kind": "ssh"'));
    first.dispose();
    const second = home.start(() => Promise.reject(new Error("nobody looks again")));
    await second.load();
    expect(await second.reopen(opened.id)).toMatchObject({ kind: "ssh", isOpen: true });
    expect(looks).toEqual([2_022]);
  });

  it("is not looked at where nobody has tried it: the tunnel itself could be what answers", async () => {
    await using home = await computer();
    let looks = 0;
    const tunnels = home.start(async () => {
      looks += 1;
      return "http";
    });
    const { id } = await tunnels.open(request(2_022));
    tunnels.closeOf(RELAY);
    await tunnels.reopen(id);
    await new Promise(setImmediate);
    expect(looks).toBe(0);
  });

  it("is not known when nothing was found, and the tunnel is none the worse", async () => {
    await using home = await computer();
    const tunnels = home.start(() => Promise.reject(new Error("no way there")));
    const opened = await tunnels.open({ ...request(2_022), isTried: true });
    await new Promise(setImmediate);
    expect(tunnels.get(opened.id)).toMatchObject({
      kind: undefined,
      failure: undefined,
      isOpen: true,
    });
  });
});

describe("tunnels of before", () => {
  it("are there after a restart, do not listen, and open on the port that they had", async () => {
    await using home = await computer();
    const first = home.start();
    const opened = await first.open(request(5432, await freePort()));
    first.dispose();
    const second = home.start();
    await second.load();
    expect(second.all).toEqual([{ ...opened, isOpen: false }]);
    expect(second.countOf(RELAY, "machine-3")).toBe(0);
    expect(await isListening(opened.localPort)).toBe(false);
    const again = await second.reopen(opened.id);
    expect(again).toEqual(opened);
    expect(await isListening(opened.localPort)).toBe(true);
  });

  it("are opened once, however often that is asked for at once", async () => {
    await using home = await computer();
    const first = home.start();
    const { id, localPort } = await first.open(request(5432));
    first.dispose();
    const second = home.start();
    const both = await Promise.all([second.reopen(id), second.reopen(id)]);
    expect(both[0]).toEqual(both[1]);
    expect(second.all).toEqual([expect.objectContaining({ id, localPort, isOpen: true })]);
  });

  it("leave their port behind when they are closed, and nothing when they are forgotten", async () => {
    await using home = await computer();
    const first = home.start();
    const chosen = await freePort();
    const { id } = await first.open(request(5432, chosen));
    await first.close(id);
    expect(first.all).toEqual([]);
    first.dispose();
    const second = home.start();
    await second.load();
    expect(second.all).toEqual([]);
    const again = await second.open(request(5432));
    expect(again).toMatchObject({ id, localPort: chosen });
    await second.forget(again.id);
    expect(second.all).toEqual([]);
    expect(await isListening(chosen)).toBe(false);
    const other = await second.open(request(5432));
    expect(other.id).not.toBe(id);
    expect(other.localPort).not.toBe(chosen);
  });

  it("say what has their port, and take another one when that is wanted", async () => {
    await using home = await computer();
    const thief = createServer().listen(0, "127.0.0.1");
    await once(thief, "listening");
    const port = (thief.address() as { port: number }).port;
    const first = home.start();
    const { id } = await first.open(request(5432, await freePort()));
    await first.close(id);
    await expect(first.open(request(5433, port))).rejects.toThrow("used by another program");
    thief.close();
    await once(thief, "close");
    const taken = await first.open(request(5433, port));
    await expect(first.open(request(5432, port))).rejects.toThrow(
      `Port ${port} of this computer is used by the tunnel to db-01 (127.0.0.1:5433).`,
    );
    first.dispose();
    const squatter = createServer().listen(port, "127.0.0.1");
    await once(squatter, "listening");
    const second = home.start();
    await expect(second.reopen(taken.id)).rejects.toThrow("another program");
    expect(second.get(taken.id)).toMatchObject({
      isOpen: false,
      failure: `Port ${port} of this computer is used by another program.`,
    });
    const moved = await second.reopen(taken.id, "anyPort");
    expect(moved).toMatchObject({ id: taken.id, isOpen: true, failure: undefined });
    expect(moved.localPort).not.toBe(port);
    squatter.close();
  });

  it("of a server that was signed out of are closed, and not forgotten", async () => {
    await using home = await computer();
    const window = home.start();
    const { id, localPort } = await window.open(request(5432));
    const seen: boolean[] = [];
    window.changed.add(({ tunnel }) => seen.push(tunnel.isOpen));
    window.closeOf(RELAY);
    expect(window.get(id)).toMatchObject({ isOpen: false });
    expect(seen).toEqual([false]);
    expect(await isListening(localPort)).toBe(false);
  });
});
