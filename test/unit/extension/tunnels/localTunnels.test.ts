import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemCode } from "../../../../extension/src/support/describeError.ts";
import { LocalTunnels } from "../../../../extension/src/tunnels/localTunnels.ts";
import { MemoryFile } from "../../../../extension/src/tunnels/memory/memoryFile.ts";
import { FakeClock } from "../../../support/clock.ts";
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
    start() {
      const memory = new MemoryFile({ path: join(directory.path, "tunnels.json"), log: silentLog });
      const deps = { accessTo: () => access, clock, log: silentLog, memory };
      return stack.adopt(new LocalTunnels(deps), (each) => each.dispose());
    },
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
