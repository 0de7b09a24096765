import { randomBytes } from "node:crypto";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { describe, expect, it, vi } from "vitest";
import type { AccessSource } from "../../../../extension/src/api/access.ts";
import { runBridge } from "../../../../extension/src/ssh/bridge/program.ts";
import { Door } from "../../../../extension/src/ssh/door.ts";
import type { Host } from "../../../../extension/src/ssh/hosts.ts";
import { systemClock } from "../../../../extension/src/support/clock.ts";
import { meetWindows } from "../../../../extension/src/tunnels/sharing/meetWindows.ts";
import { OwnSeat } from "../../../../extension/src/tunnels/sharing/ownSeat.ts";
import { FakeClock } from "../../../support/clock.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { strangeGuest, strangeKeeper } from "../../../support/tunnels/stranger.ts";
import { type Dial, startDialServer } from "../fakeDialServer.ts";
import { silentLog } from "../serverFixture.ts";

const TOKEN = "a-token-that-nobody-else-sees";
const SERVER = { serverKey: "https://relay.example.com", serverName: "Relay" };
const HOSTS: readonly Host[] = [
  { ...SERVER, id: "f00d", name: "web-01", hostname: "" },
  { ...SERVER, id: "a1", name: "twin", hostname: "" },
  { ...SERVER, id: "b2", name: "twin", hostname: "" },
];

/** A window that carries connections of programs to a server without agents. */
async function openWindow(onDial: (dial: Dial) => void, access?: AccessSource) {
  const stack = new AsyncDisposableStack();
  const { path: storage } = stack.use(await tempDirectory());
  const server = stack.use(await startDialServer(onDial));
  const ready: AccessSource = async () => ({
    kind: "ready",
    url: server.url,
    authorization: `Bearer ${TOKEN}`,
  });
  const door = stack.adopt(
    new Door({
      ready: async () => undefined,
      hosts: () => HOSTS,
      accessTo: () => access ?? ready,
      clock: systemClock,
      log: silentLog,
    }),
    (each) => each.dispose(),
  );
  const seat = await meetWindows({ storage, clock: systemClock, log: silentLog });
  if (!(seat instanceof OwnSeat)) throw new Error("somebody else has the seat");
  stack.defer(() => seat.close());
  seat.receiveWith({
    guest: (socket) => socket.destroy(),
    bridge: (socket, version) => door.serve(socket, version),
  });
  return {
    storage,
    server,
    door,
    seat,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The bridge, with pipes for its input and output. */
function bridge(storage: string, args: readonly string[], clock = systemClock) {
  const input = new PassThrough();
  const output = new PassThrough();
  const said: string[] = [];
  const say = (sentence: string) => void said.push(sentence);
  const code = runBridge({
    args,
    storage,
    command: "sh /a/launcher.sh",
    clock,
    input,
    output,
    say,
  });
  return { input, output, said, code };
}

function echo({ socket }: Dial): void {
  socket.on("message", (data) => socket.send(data));
}

describe("the bridge", () => {
  it("carries what is piped through it, exactly, and ends with 0", async () => {
    const dials: Dial[] = [];
    await using window = await openWindow((dial) => {
      dials.push(dial);
      echo(dial);
    });
    const { input, output, said, code } = bridge(window.storage, ["connect", "web-01", "22"]);
    const bytes = randomBytes(5_000_000);
    input.end(bytes);
    expect((await buffer(output)).equals(bytes)).toBe(true);
    expect(await code).toBe(0);
    expect(said).toEqual([]);
    const [{ query, authorization } = { query: undefined, authorization: undefined }] = dials;
    expect(Object.fromEntries(query ?? [])).toEqual({
      client_id: "f00d",
      host: "127.0.0.1",
      port: "22",
    });
    expect(authorization).toBe(`Bearer ${TOKEN}`);
  });

  it("ends each direction for itself", async () => {
    await using window = await openWindow(({ socket }) => {
      let text = "";
      socket.on("message", (data) => {
        const piece = String(data);
        text += piece;
        if (piece !== "") return;
        socket.send(`got ${text}`);
        socket.send("");
      });
    });
    const first = bridge(window.storage, ["connect", "f00d", "10.0.0.5:5432"]);
    first.input.end("all");
    expect(String(await buffer(first.output))).toBe("got all");
    expect(await first.code).toBe(0);
  });

  it("still carries what goes when what comes has ended", async () => {
    const heard: string[] = [];
    await using window = await openWindow(({ socket }) => {
      socket.send("hello");
      socket.send("");
      socket.on("message", (data) => heard.push(String(data)));
    });
    const { input, output, code } = bridge(window.storage, ["connect", "web-01", "22"]);
    expect(String(await buffer(output))).toBe("hello");
    input.end("bye");
    expect(await code).toBe(0);
    await vi.waitFor(() => expect(heard).toEqual(["bye", ""]));
  });

  it("waits for whoever reads slowly, without keeping what comes", async () => {
    let sent = 0;
    await using window = await openWindow(({ socket }) => {
      const piece = randomBytes(64 * 1024);
      const more = () => {
        if (sent >= 64 * 1024 * 1024) return;
        sent += piece.length;
        socket.send(piece, () => {
          if (socket.bufferedAmount < 1024 * 1024) more();
          else setTimeout(more, 20);
        });
      };
      more();
    });
    const { output, input, code } = bridge(window.storage, ["connect", "web-01", "22"]);
    await vi.waitFor(() => expect(output.readableLength).toBeGreaterThan(0));
    const looks: number[] = [];
    await vi.waitFor(
      () => {
        looks.push(sent);
        expect(looks.length).toBeGreaterThan(5);
        expect(new Set(looks.slice(-5)).size).toBe(1);
      },
      { interval: 100, timeout: 20_000 },
    );
    // what the systems' sockets hold on the way, and no more
    expect(sent).toBeLessThan(24 * 1024 * 1024);
    output.destroy();
    input.end();
    expect(await code).toBe(255);
  });

  it.each<readonly [string, readonly string[], string | RegExp]>([
    ["nobody is called so", ["connect", "nobody", "22"], "No host is called nobody."],
    [
      "several are called so",
      ["connect", "twin", "22"],
      /^Several hosts are called twin: a1\.rport/,
    ],
    [
      "no port is said",
      ["connect", "web-01"],
      "Usage: sh /a/launcher.sh connect CLIENT [HOST:]PORT",
    ],
    ["the port is none", ["connect", "web-01", "0"], /^Usage/],
    ["something else is wanted", ["list"], /^Usage/],
    ["there is too much", ["connect", "web-01", "22", "23"], /^Usage/],
  ])("says in one sentence that %s, and ends with 255", async (_, args, sentence) => {
    await using window = await openWindow(echo);
    const { said, code } = bridge(window.storage, args);
    expect(await code).toBe(255);
    expect(said).toEqual([
      expect.stringMatching(sentence instanceof RegExp ? sentence : exactly(sentence)),
    ]);
  });

  it("says why the server does not open it, and that nobody is signed in", async () => {
    await using window = await openWindow(({ socket }) => {
      socket.close(CLOSE_CODES.refused, "The host does not allow this.");
    });
    const refused = bridge(window.storage, ["connect", "web-01", "22"]);
    expect(await refused.code).toBe(255);
    expect(refused.said).toEqual(["The host does not allow this."]);
    await using other = await openWindow(echo, async () => ({ kind: "noToken" }));
    const unknown = bridge(other.storage, ["connect", "web-01", "22"]);
    expect(await unknown.code).toBe(255);
    expect(unknown.said).toEqual(["You are not signed in."]);
  });

  it("says that nothing listens where the host ends the connection at once", async () => {
    await using window = await openWindow(({ socket }) => socket.close(1000));
    const { said, code } = bridge(window.storage, ["connect", "web-01", "22"]);
    expect(await code).toBe(255);
    expect(said).toEqual(["The host closed the connection at once: is something listening there?"]);
  });

  it("says that the window was closed when it is in between", async () => {
    await using window = await openWindow(echo);
    const { input, output, said, code } = bridge(window.storage, ["connect", "web-01", "22"]);
    input.write("x");
    await vi.waitFor(() => expect(output.readableLength).toBe(1));
    window.door.dispose();
    expect(await code).toBe(255);
    expect(said).toEqual(["The window that carried the connection was closed."]);
  });

  it("says after five seconds that no window is open", async () => {
    await using temp = await tempDirectory();
    const clock = new FakeClock();
    const { said, code } = bridge(temp.path, ["connect", "web-01", "22"], clock);
    for (let n = 0; n < 50; n += 1) {
      await vi.waitFor(() => expect(clock.timers).toBe(1));
      clock.advance(100);
    }
    expect(await code).toBe(255);
    expect(said).toEqual([
      "No window of the editor is open: open VS Code and sign in to the server.",
    ]);
  });

  it("waits for a window that is about to be there", async () => {
    await using temp = await tempDirectory();
    const { input, output, code } = bridge(temp.path, ["connect", "web-01", "22"]);
    const seat = await meetWindows({ storage: temp.path, clock: systemClock, log: silentLog });
    if (!(seat instanceof OwnSeat)) throw new Error("somebody else has the seat");
    try {
      const { promise, resolve } = Promise.withResolvers<number>();
      seat.receiveWith({
        guest: () => undefined,
        bridge: (socket, version) => {
          resolve(version);
          socket.destroy();
        },
      });
      expect(await promise).toBe(1);
      seat.close();
      input.end();
      output.resume();
      expect(await code).toBe(255);
    } finally {
      seat.close();
    }
  });

  it("asks again when the window hangs up before it has said anything, as one does that is closed", async () => {
    await using window = await openWindow(echo);
    let comings = 0;
    window.seat.receiveWith({
      guest: () => undefined,
      bridge: (socket, version) => {
        comings += 1;
        if (comings === 1) socket.destroy();
        else window.door.serve(socket, version);
      },
    });
    const { input, output, code } = bridge(window.storage, ["connect", "web-01", "22"]);
    input.end("hello");
    expect(String(await buffer(output))).toBe("hello");
    expect(await code).toBe(0);
    expect(comings).toBe(2);
  });

  it("S-55: tells nothing to who listens in the editor's place and is no window", async () => {
    await using temp = await tempDirectory();
    using keeper = await strangeKeeper(temp.path, (_, socket) => {
      const digest = "A".repeat(43);
      socket.write(
        `${JSON.stringify({ type: "proof", version: 3, nonce: digest, proof: digest })}\n`,
      );
    });
    const { said, code } = bridge(temp.path, ["connect", "web-01", "22"]);
    expect(await code).toBe(255);
    expect(said).toEqual([
      "What answers for the editor has not proven to be a window of yours. It was told nothing.",
    ]);
    expect(keeper.heard).toEqual([expect.stringMatching(/^\{"type":"hello"/)]);
  });
});

describe("the window that carries connections of programs", () => {
  it("S-55: serves nobody who has not the key", async () => {
    const dialled = vi.fn();
    await using window = await openWindow(dialled);
    using stranger = strangeGuest(window.storage);
    stranger.say({ type: "hello", nonce: "A".repeat(43) });
    await stranger.lines(1);
    stranger.say({ type: "proof", version: 1, as: "bridge", proof: "B".repeat(43) });
    await stranger.cut;
    expect(stranger.heard).toHaveLength(1);
    expect(dialled).not.toHaveBeenCalled();
  });
});

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.[\]?]/g, "\\$&")}$`);
}
