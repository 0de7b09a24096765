import { once } from "node:events";
import type { Socket } from "node:net";
import { type Duplex, PassThrough } from "node:stream";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { clientIdSchema } from "@rport/protocol/ids";
import { Relays } from "@rport/protocol/wire/relay";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { LIMITS, type SetLimits } from "../../../backend/src/limits/limitTable.ts";
import { createDial } from "../../../backend/src/tunnels/dialer.ts";
import { serveEditorTunnel } from "../../../backend/src/tunnels/editorTunnel.ts";
import { SECRET, startAgentSide } from "../../support/agents/agentSide.ts";
import { PeerAgent, type PeerAgentOptions } from "../../support/agents/peerAgent.ts";
import { eventually } from "../../support/eventually.ts";
import { type TcpServer, tcpServer } from "../../support/wire/wireTunnel.ts";

const ID = clientIdSchema.parse("machine-1");

/** An editor's socket to a target behind a real session. */
async function editorTo(
  target: TcpServer,
  change: Partial<PeerAgentOptions> = {},
  limits: SetLimits = {},
) {
  const side = await startAgentSide({ limits });
  const introduction = { Features: ["half-close"] };
  const options = { url: side.url, user: "fleet", password: SECRET, introduction, ...change };
  const agent = await PeerAgent.join(options);
  agent.connection.halfClose = true;
  const dial = createDial((id) => side.presence.connected(id), side.dial);
  const editor = await editorSocket(() => dial(ID, { host: "127.0.0.1", port: target.port }));
  return {
    ...editor,
    side,
    agent,
    async [Symbol.asyncDispose]() {
      await editor[Symbol.asyncDispose]();
      await side[Symbol.asyncDispose]();
    },
  };
}

/** A WebSocket whose other end is an editor tunnel over `dial`. */
async function editorSocket(dial: () => Promise<Duplex>, relays = new Relays()) {
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    maxPayload: LIMITS.dial_message_bytes.usual,
  });
  await once(server, "listening");
  const accepted = once(server, "connection");
  const ws = new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
  const messages: Buffer[] = [];
  ws.on("message", (data: Buffer) => messages.push(data));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    ws.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  const [far] = (await accepted) as [WebSocket];
  const done = serveEditorTunnel(far, { dial, relays });
  if (ws.readyState !== ws.OPEN) await once(ws, "open");
  return {
    ws,
    far,
    messages,
    closed,
    done,
    async [Symbol.asyncDispose]() {
      ws.terminate();
      await done;
      server.close();
    },
  };
}

describe("an editor tunnel", () => {
  it("carries bytes and each direction's end, and closes normally when both have ended", async () => {
    await using target = await tcpServer((socket) => {
      socket.on("data", (chunk) => socket.write(chunk));
      socket.on("end", () => socket.end("and goodbye"));
    });
    await using editor = await editorTo(target);
    editor.ws.send(Buffer.from("hello "));
    editor.ws.send(Buffer.alloc(0));
    expect(await editor.closed).toEqual({ code: 1000, reason: "" });
    expect(Buffer.concat(editor.messages).toString()).toBe("hello and goodbye");
    expect(editor.messages.at(-1)).toHaveLength(0);
  });

  it("brings what was sent before the target was reached", async () => {
    await using target = await tcpServer((socket) => socket.pipe(socket));
    await using editor = await editorTo(target);
    const sent = Buffer.alloc(600 << 10, "abc");
    for (let at = 0; at < sent.length; at += 64 << 10) {
      editor.ws.send(sent.subarray(at, at + (64 << 10)));
    }
    await eventually(() => expect(Buffer.concat(editor.messages).equals(sent)).toBe(true));
  });

  it("closes with the reason when the client does not allow the target", async () => {
    await using target = await tcpServer(() => {});
    const refuseChannels = 'not allowed with "tunnel_allowed" config';
    await using editor = await editorTo(target, { refuseChannels });
    const { code, reason } = await editor.closed;
    expect(code).toBe(CLOSE_CODES.notAllowed);
    expect(reason).toMatch(/^The client refuses 127\.0\.0\.1:\d+: its own configuration/);
  });

  it("closes with the reason when the client is not connected", async () => {
    await using editor = await editorSocket(async () =>
      createDial(
        () => undefined,
        () => Promise.reject(new Error("not reached")),
      )(ID, {
        host: "h".repeat(200),
        port: 22,
      }),
    );
    expect(await editor.closed).toEqual({
      code: CLOSE_CODES.offline,
      reason: "The client is not connected.",
    });
  });

  it("is cut off when the client disconnects, also where only the editor still sends", async () => {
    const endings = [() => {}, (socket: Socket) => socket.end()];
    await using target = await tcpServer((socket) => {
      socket.once("data", (data) => {
        socket.write(data);
        endings.shift()?.(socket);
      });
    });
    for (const messages of [1, 2]) {
      await using editor = await editorTo(target);
      editor.ws.send(Buffer.from("x"));
      await eventually(() => expect(editor.messages).toHaveLength(messages));
      editor.agent.close();
      expect(await editor.closed).toEqual({
        code: CLOSE_CODES.cutOff,
        reason: "The connection to the client was cut.",
      });
    }
  });

  it("is cut off when others need the room of what waits in it, also where only the editor still sends", async () => {
    await using target = await tcpServer((socket) => socket.pause().end("nothing more"));
    await using editor = await editorTo(target, {}, { stalled_bytes_per_agent: 64 << 10 });
    await eventually(() => expect(editor.messages.at(-1)).toHaveLength(0));
    for (let n = 0; n < 640; n++) editor.ws.send(Buffer.alloc(100 << 10));
    expect(await editor.closed).toEqual({
      code: CLOSE_CODES.cutOff,
      reason: "The connection to the client was cut.",
    });
  });

  it("is cut off where the way to the client was cut before anything went over it", async () => {
    const stream = new PassThrough().destroy();
    await once(stream, "close");
    await using editor = await editorSocket(async () => stream);
    expect(await editor.closed).toMatchObject({ code: CLOSE_CODES.cutOff });
  });

  it("is not cut off by a target that resets its connection", async () => {
    await using target = await tcpServer((socket) => {
      socket.once("data", () => socket.resetAndDestroy());
    });
    await using editor = await editorTo(target);
    editor.ws.send(Buffer.from("x"));
    expect(await editor.closed).toEqual({ code: 1000, reason: "" });
  });

  it("closes the connection at the client's side when the editor goes away", async () => {
    const sockets: { readonly destroyed: boolean }[] = [];
    await using target = await tcpServer((socket) => void sockets.push(socket.resume()));
    await using editor = await editorTo(target);
    await eventually(() => expect(sockets).toHaveLength(1));
    editor.ws.terminate();
    await editor.done;
    await eventually(() => expect(editor.agent.connection.channelCount).toBe(0));
  });

  it("refuses text messages", async () => {
    const stream = new PassThrough();
    await using editor = await editorSocket(async () => stream);
    editor.ws.send("text");
    expect((await editor.closed).code).toBe(1003);
    expect(stream.destroyed).toBe(true);
  });

  it("F-09: stops reading from the editor while the client's side does not take more", async () => {
    const blocked = new Blocked();
    await using editor = await editorSocket(async () => blocked);
    for (let n = 0; n < 640; n++) editor.ws.send(Buffer.alloc(100 << 10));
    await eventually(() => expect(editor.far.isPaused).toBe(true));
    expect(editor.ws.bufferedAmount).toBeGreaterThan(1 << 20);
    blocked.destroy();
  });

  it("F-09: stops reading from the client's side while the editor does not take more", async () => {
    const source = new Endless();
    await using editor = await editorSocket(async () => source);
    editor.ws.pause();
    await eventually(() => expect(source.isPaused()).toBe(true));
    expect(editor.far.bufferedAmount).toBeLessThan(2 << 20);
    editor.ws.resume();
    const seen = source.pushed;
    await eventually(() => expect(source.pushed).toBeGreaterThan(seen + (4 << 20)));
  });
});

it("F-14: puts nothing behind what an editor does not take, of whatever pieces", async () => {
  const source = new PassThrough({ highWaterMark: 1 << 20 });
  await using editor = await editorSocket(async () => source.on("error", () => {}));
  editor.ws.pause();
  const { far } = editor;
  // As much as the system takes, and a little more.
  for (let full = 0; full < 100; full += 1) {
    if (far.bufferedAmount === 0) {
      source.write(Buffer.alloc(8 << 10));
      full = 0;
    }
    await new Promise(setImmediate);
  }
  for (let n = 0; n < 5_000; n += 1) {
    source.write(Buffer.of(n % 251));
    if (n % 100 === 0) await new Promise(setImmediate);
  }
  source.end();
  editor.ws.resume();
  await eventually(() => expect(editor.messages.at(-1)).toHaveLength(0));
  const bytes = Buffer.concat(editor.messages);
  expect(bytes.subarray(-5_000)).toEqual(
    Buffer.from(Array.from({ length: 5_000 }, (_, n) => n % 251)),
  );
  const small = editor.messages.filter(({ length }) => length === 1);
  expect(small.length).toBeLessThan(100);
});

describe("an editor tunnel beside others", () => {
  it("takes its turn among all that is relayed, and leaves it when it ends", async () => {
    const relays = new Relays();
    const stream = new PassThrough();
    await using editor = await editorSocket(async () => stream, relays);
    await eventually(() => expect(relays.active).toBe(1));
    editor.ws.close();
    await editor.done;
    await eventually(() => expect(relays.active).toBe(0));
  });
});

/** Takes one write and never finishes it. */
class Blocked extends PassThrough {
  override _write(): void {}
}

/** Has always more to read. */
class Endless extends PassThrough {
  pushed = 0;
  override _read(): void {
    this.pushed += 32 << 10;
    setImmediate(() => this.push(Buffer.alloc(32 << 10)));
  }
}
