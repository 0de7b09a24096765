import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../../extension/src/support/clock.ts";
import { meetWindows } from "../../../../extension/src/tunnels/sharing/meetWindows.ts";
import { OwnSeat } from "../../../../extension/src/tunnels/sharing/ownSeat.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { steady } from "../../../support/steady.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { strangeGuest, strangeKeeper } from "../../../support/tunnels/stranger.ts";
import type { Dial } from "../fakeDialServer.ts";
import { silentLog } from "../serverFixture.ts";
import { bridge, echo, openWindow, TOKEN } from "./bridgeWindow.ts";

const USAGE = "Usage: sh /a/launcher.sh connect CLIENT [HOST:]PORT";

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
    await eventually(() => expect(heard).toEqual(["bye", ""]));
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
    await eventually(() => expect(output.readableLength).toBeGreaterThan(0));
    await steady(() => sent, 100);
    // what the systems' sockets hold on the way, and no more
    expect(sent).toBeLessThan(24 * 1024 * 1024);
    output.destroy();
    input.end();
    expect(await code).toBe(255);
  });

  it.each<readonly [string, number, readonly string[]]>([
    ["No host is called nobody.", 5, ["connect", "nobody", "22"]],
    ["No host is called wbe-01. Is web-01.rport meant?", 5, ["connect", "wbe-01", "22"]],
    [
      "Several hosts are called twin: a1.rport (Relay), b2.rport (Relay).",
      6,
      ["connect", "twin", "22"],
    ],
    [USAGE, 2, ["connect", "web-01"]],
    [USAGE, 2, ["connect", "web-01", "0"]],
    [`There is no command list. ${USAGE}`, 2, ["list"]],
    [USAGE, 2, []],
    [USAGE, 2, ["connect", "web-01", "22", "23"]],
    ["No host is called nobody.rport.", 5, ["unknown", "nobody.rport"]],
    [
      "ssh is told of no host of this name. Capitals count, and a host that has just come is told of in a moment.",
      5,
      ["unknown"],
    ],
  ])("says in one sentence: %s, and answers %i", async (sentence, exitCode, args) => {
    await using window = await openWindow(echo);
    const { said, code } = bridge(window.storage, args);
    expect(await code).toBe(exitCode);
    expect(said).toEqual([sentence]);
  });

  it.each([
    [7, CLOSE_CODES.offline],
    [8, CLOSE_CODES.unreached],
    [9, CLOSE_CODES.notAllowed],
    [9, CLOSE_CODES.refused],
    [4, CLOSE_CODES.unauthorized],
    [10, CLOSE_CODES.stopping],
  ])(
    "answers %i, and says why, where the server closes it with %i",
    async (exitCode, closeCode) => {
      await using window = await openWindow(({ socket }) =>
        socket.close(closeCode, "It says why."),
      );
      const { said, code } = bridge(window.storage, ["connect", "web-01", "22"]);
      expect(await code).toBe(exitCode);
      expect(said).toEqual(["It says why."]);
    },
  );

  it("says that nobody is signed in", async () => {
    await using other = await openWindow(echo, async () => ({ kind: "noToken" }));
    const unknown = bridge(other.storage, ["connect", "web-01", "22"]);
    expect(await unknown.code).toBe(4);
    expect(unknown.said).toEqual(["You are not signed in."]);
  });

  it("says that nothing listens where the host ends the connection at once", async () => {
    await using window = await openWindow(({ socket }) => socket.close(1000));
    const { said, code } = bridge(window.storage, ["connect", "web-01", "22"]);
    expect(await code).toBe(8);
    expect(said).toEqual(["The host closed the connection at once: is something listening there?"]);
  });

  it("says that the connection was cut on its way when it was in the middle", async () => {
    await using window = await openWindow(({ socket }) => {
      socket.on("message", (data) => {
        socket.send(data);
        socket.close(CLOSE_CODES.cutOff, "The connection to the client was cut.");
      });
    });
    const { input, output, said, code } = bridge(window.storage, ["connect", "web-01", "22"]);
    input.write("x");
    output.resume();
    expect(await code).toBe(10);
    expect(said).toEqual(["The connection was cut on its way to the host."]);
  });

  it("says that the window was closed when it is in between", async () => {
    await using window = await openWindow(echo);
    const { input, output, said, code } = bridge(window.storage, ["connect", "web-01", "22"]);
    input.write("x");
    await eventually(() => expect(output.readableLength).toBe(1));
    window.door.dispose();
    expect(await code).toBe(255);
    expect(said).toEqual(["The window that carried the connection was closed."]);
  });

  it("says after five seconds that no window is open", async () => {
    await using temp = await tempDirectory();
    const clock = new FakeClock();
    const { said, code } = bridge(temp.path, ["connect", "web-01", "22"], clock);
    for (let n = 0; n < 50; n += 1) {
      await eventually(() => expect(clock.timers).toBe(1));
      clock.advance(100);
    }
    expect(await code).toBe(3);
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
      expect(await code).toBe(3);
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
