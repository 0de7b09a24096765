import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newNonce } from "@rport/protocol/localProof";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../extension/src/support/clock.ts";
import { systemCode } from "../../../../extension/src/support/describeError.ts";
import type { SharedTunnels } from "../../../../extension/src/tunnels/sharedTunnels.ts";
import { meetWindows } from "../../../../extension/src/tunnels/sharing/meetWindows.ts";
import { VERSION } from "../../../../extension/src/tunnels/sharing/messages.ts";
import { proofOf } from "../../../../extension/src/tunnels/sharing/proof.ts";
import { windowsKey } from "../../../../extension/src/tunnels/sharing/windowsKey.ts";
import { eventually } from "../../../support/eventually.ts";
import { freePort } from "../../../support/freePort.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import {
  RELAY,
  request,
  type SharedWindowOptions,
  sharedWindow,
} from "../../../support/tunnels/sharedWindow.ts";
import { say, strangeKeeper } from "../../../support/tunnels/stranger.ts";
import { silentLog } from "../serverFixture.ts";

const WINDOW = fileURLToPath(new URL("../../../support/tunnels/windowProcess.ts", import.meta.url));
/** For processes that start, and are cleaned up, on a busy machine. */
const SLOW = 20_000;

async function computer() {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await tempDirectory());
  return {
    storage: path,
    open(options?: SharedWindowOptions): SharedTunnels {
      return stack.adopt(sharedWindow(path, options), (window) => window.dispose());
    },
    /** One that has tunnels from the others, or holds them. */
    async opened(options?: SharedWindowOptions): Promise<SharedTunnels> {
      const window = this.open(options);
      await window.load();
      return window;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The sockets where windows meet; beside them is the key of the windows. */
async function seatsOf(storage: string): Promise<readonly string[]> {
  return (await readdir(join(storage, "windows"))).filter((name) => name !== "key");
}

/** A window of a later version, as far as it gets with one of this. */
async function laterWindow(storage: string) {
  const key = await windowsKey(storage, silentLog);
  return strangeKeeper(storage, (line, socket) => {
    const { type, nonce } = JSON.parse(line) as { type: string; nonce: string };
    if (type !== "hello") return;
    const [version, keeperNonce] = [VERSION + 1, newNonce()];
    const facts = { side: "keeper", version, seat: "1.sock", guestNonce: nonce } as const;
    const proof = proofOf(key, { ...facts, keeperNonce });
    say(socket, { type: "proof", version, nonce: keeperNonce, proof });
  });
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

describe("windows of one computer", () => {
  it("show the same tunnels, and each can open, close and forget them", async () => {
    await using home = await computer();
    const first = await home.opened();
    const second = await home.opened();
    const opened = await second.open(request(5432, await freePort()));
    expect(second.all).toEqual([opened]);
    expect(first.all).toEqual([opened]);
    expect(first.countOf(RELAY, "machine-3")).toBe(1);
    expect(await isListening(opened.localPort)).toBe(true);
    await second.close(opened.id);
    expect(second.all).toEqual([]);
    expect(first.all).toEqual([]);
    expect(await isListening(opened.localPort)).toBe(false);
    const again = await first.open(request(5432));
    expect(again).toEqual(opened);
    await eventually(() => expect(second.all).toEqual([opened]));
    await second.forget(opened.id);
    expect(first.all).toEqual([]);
  });

  it("tell each other what went through a tunnel, whichever holds it", async () => {
    await using home = await computer();
    const first = await home.opened();
    const second = await home.opened();
    const { id, localPort } = await second.open(request(5432, await freePort()));
    expect(await second.look(id)).toMatchObject({ connectionsTotal: 0, received: 0, sent: 0 });
    await isListening(localPort);
    await eventually(async () => {
      const used = { connections: 0, connectionsTotal: 1, usedAtMs: expect.any(Number) };
      expect(await first.look(id)).toMatchObject(used);
      expect(await second.look(id)).toEqual(await first.look(id));
    });
    expect(await second.look("0123456789abcdef")).toBeUndefined();
    await first.close(id);
    expect(await second.look(id)).toBeUndefined();
    expect(await first.look(id)).toBeUndefined();
  });

  it("agree on one that holds them, however many start at once", async () => {
    await using home = await computer();
    const windows = Array.from({ length: 12 }, () => home.open());
    await Promise.all(windows.map((window) => window.load()));
    const requests = windows.map((window, n) => window.open(request(6000 + n)));
    const opened = await Promise.all(requests);
    for (const window of windows) {
      await eventually(() => expect(window.all).toHaveLength(12));
    }
    expect(new Set(opened.map(({ localPort }) => localPort)).size).toBe(12);
    expect(await seatsOf(home.storage)).toHaveLength(1);
  });

  it("take the place of one that is closed, on the same ports", async () => {
    await using home = await computer();
    const first = await home.opened();
    const second = await home.opened();
    const third = await home.opened();
    const opened = await first.open(request(5432, await freePort()));
    await eventually(() => expect(third.all).toEqual([opened]));
    await eventually(() => expect(second.all).toEqual([opened]));
    const seen: boolean[] = [];
    for (const window of [second, third]) {
      window.changed.add(({ tunnel }) => seen.push(tunnel.isOpen));
    }
    first.dispose();
    await eventually(async () => expect(await isListening(opened.localPort)).toBe(true), SLOW);
    await third.open(request(5433));
    await eventually(() => expect(second.all).toHaveLength(2));
    const { id, localPort } = opened;
    expect(third.all[0]).toMatchObject({ id, localPort, isOpen: true });
    // nobody was told of a tunnel that is not open
    expect(new Set(seen)).toEqual(new Set([true]));
    second.dispose();
    third.dispose();
    await eventually(async () => expect(await isListening(opened.localPort)).toBe(false), SLOW);
  });

  it("F-30: take the place of one that was killed, and nothing of it goes on listening", async () => {
    await using home = await computer();
    const port = await freePort();
    const killed = spawn(process.execPath, [WINDOW, home.storage, String(port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(killed.stdout, "data");
    const second = await home.opened();
    expect(second.all).toMatchObject([{ localPort: port, isOpen: true }]);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    await eventually(async () => expect(await isListening(port)).toBe(true), SLOW);
    const third = await home.opened();
    expect(third.all).toMatchObject([{ localPort: port, isOpen: true }]);
    // the file of the one that was killed is cleaned up
    expect(await seatsOf(home.storage)).toHaveLength(1);
  });

  it("F-30: find what one that was killed alone has left, not open", async () => {
    await using home = await computer();
    const port = await freePort();
    const killed = spawn(process.execPath, [WINDOW, home.storage, String(port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(killed.stdout, "data");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(await isListening(port)).toBe(false);
    const next = await home.opened();
    expect(next.all).toMatchObject([{ localPort: port, isOpen: false }]);
    await next.restore(RELAY);
    expect(next.all).toMatchObject([{ localPort: port, isOpen: true }]);
  });

  it("are told why something cannot be done by the one that does it", async () => {
    await using home = await computer();
    await home.opened();
    const guest = await home.opened();
    const thief = createServer().listen(0, "127.0.0.1");
    await once(thief, "listening");
    const { port } = thief.address() as { port: number };
    const refused = guest.open(request(5432, port));
    await expect(refused).rejects.toMatchObject({
      code: "ERR_CODE_LOCAL_PORT_IN_USE",
      message: `Port ${port} of this computer is used by another program.`,
    });
    thief.close();
  });

  it("show what is open everywhere, and what is not where it belongs", async () => {
    await using home = await computer();
    const inOwn = (workspace: string): SharedWindowOptions => ({
      workspace,
      isOffered: (tunnel) => tunnel.workspace === workspace,
    });
    const blue = await home.opened(inOwn("blue"));
    const { id } = await blue.open(request(5432));
    const green = await home.opened(inOwn("green"));
    expect(green.all).toMatchObject([{ id, isOpen: true, workspace: "blue" }]);
    green.dispose();
    blue.dispose();
    const greenAgain = await home.opened(inOwn("green"));
    expect(greenAgain.all).toEqual([]);
    const blueAgain = await home.opened(inOwn("blue"));
    expect(blueAgain.all).toMatchObject([{ id, isOpen: false }]);
    await greenAgain.open(request(5432));
    await eventually(() => expect(blueAgain.all).toMatchObject([{ id, workspace: "green" }]));
  });

  it("leave one of another version alone, and say what helps", async () => {
    await using home = await computer();
    using _later = await laterWindow(home.storage);
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
    const window = await home.opened({ log });
    expect(window.all).toEqual([]);
    await expect(window.open(request(5432))).rejects.toThrow("reload the windows");
    expect(warnings).toEqual([expect.stringContaining("another version")]);
  });

  it("cut off whoever says what no window says", async () => {
    await using home = await computer();
    const window = await home.opened();
    await window.open(request(5432));
    const said = [
      "no JSON\n",
      '{"type":"ask","ask":1,"act":{"do":"open"}}\n',
      "x".repeat(2_000_000),
    ];
    for (const text of said) {
      const clock = systemClock;
      const met = await meetWindows({ storage: home.storage, clock, log: silentLog });
      if (!("socket" in met)) throw new Error("nobody holds the tunnels");
      const stranger = met.socket.resume();
      const cut = new Promise((resolve) => stranger.once("close", resolve));
      stranger.write(text);
      await cut;
    }
    const other = await home.opened();
    expect(other.all).toHaveLength(1);
  });

  it("hold tunnels alone when they cannot share them, and say so", async () => {
    const errors: string[] = [];
    const log = { ...silentLog, error: (message: string) => errors.push(message) };
    // a file where the folder should be
    const window = sharedWindow(WINDOW, { log });
    try {
      const { localPort } = await window.open(request(5432));
      expect(await isListening(localPort)).toBe(true);
      expect(errors).toContain("tunnels are not shared between windows");
    } finally {
      window.dispose();
    }
  });
});
