import { once } from "node:events";
import type { Socket } from "node:net";
import { TUNNEL_CHANNEL } from "@rport/protocol/agent";
import type { Message } from "@rport/protocol/wire/connection/messages";
import { describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { openWebSocket } from "../../../agent/src/connection/webSocket.ts";
import { startAgent, type TestAgent } from "../../support/agents/agent.ts";
import { startAgentServer } from "../../support/agents/agentServer.ts";
import { type HostileSession, startHostileServer } from "../../support/agents/hostileServer.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { listen } from "../../support/wire/wirePair.ts";
import { type TcpServer, tcpServer } from "../../support/wire/wireTunnel.ts";

const MIB = 1 << 20;
const PIECE = Buffer.alloc(64 << 10, 1);

/** Why an agent that met a hostile server is not connected. */
async function reasonOf(agent: TestAgent) {
  const state = await agent.until(({ kind }) => kind === "waiting");
  return state.kind === "waiting" ? state.reason : undefined;
}

/** Begins one WebSocket message and does not end it. */
function beginMessage(
  ws: WebSocket,
  { pieces, piece = PIECE }: { pieces: number; piece?: Buffer },
) {
  ws.on("error", () => {});
  for (let n = 0; n < pieces; n += 1) ws.send(piece, { fin: false });
}

function openOf(sender: number, type: string, target = ""): Message {
  const extra = Buffer.from(target);
  return { kind: "open", type, sender, window: 1 << 20, maxPacket: 32_768, extra };
}

const ofKind = <K extends Message["kind"]>({ heard }: HostileSession, kind: K) =>
  heard.filter((message) => message.kind === kind) as Extract<Message, { kind: K }>[];

describe("C-17: before the login, an agent ends the connection of a server that sends", () => {
  it.each([
    ["one message of 20 MiB", { pieces: 320 }, "size"],
    ["one message in 2,000 fragments of a byte", { pieces: 2_000, piece: Buffer.of(1) }, "size"],
  ])("%s", async (_what, message, kind) => {
    await using hostile = await listen((ws) => beginMessage(ws, message));
    await using agent = await startAgent({ server: hostile.url });
    expect(await reasonOf(agent)).toMatchObject({ kind });
  });

  it("more than 64 KiB in small messages", async () => {
    await using hostile = await listen((ws) => {
      ws.on("error", () => {});
      ws.send("SSH-rport-v1-server\r\n");
      for (let n = 0; n < 20; n += 1)
        ws.send(Buffer.concat([Buffer.of(0, 0, 15, 252, 4), ignore()]));
    });
    await using agent = await startAgent({ server: hostile.url });
    const text = "too many bytes before the login";
    expect(await reasonOf(agent)).toEqual({ kind: "limit", text });
  });

  it("nothing, in time", async () => {
    await using hostile = await listen((ws) => void ws.on("error", () => {}));
    const replaced = { transportLimits: { handshakeMs: 100 } };
    await using agent = await startAgent({ server: hostile.url }, replaced);
    expect(await reasonOf(agent)).toMatchObject({ kind: "timeout" });
  });
});

/** Writes the same bytes for as long as somebody takes them; answers how many went out. */
function endless(socket: Socket, piece: Buffer): { readonly sent: number } {
  const flow = { sent: 0 };
  const more = () => {
    while (!socket.destroyed && socket.write(piece)) flow.sent += piece.length;
  };
  socket.on("drain", more);
  socket.once("data", more);
  return flow;
}

describe("C-17: before the upgrade, an agent ends the connection", () => {
  it.each([
    ["whose header never ends", Buffer.alloc(64 << 10, "a")],
    ["that has headers without end", Buffer.from("X-A: b\r\n".repeat(8_192))],
  ] as const)("of a proxy %s, and keeps next to nothing of it", async (_what, piece) => {
    const flows: { readonly sent: number }[] = [];
    await using proxy = await tcpServer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nX-A: ");
      flows.push(endless(socket, piece));
    });
    const client = { proxy: `http://127.0.0.1:${proxy.port}` };
    await using agent = await startAgent({ server: "ws://192.0.2.77:80", client });
    expect(await reasonOf(agent)).toMatchObject({ text: "the proxy's answer is too long" });
    // what the system takes in its buffers is not the agent's
    for (const { sent } of flows) expect(sent).toBeLessThan(16 * MIB);
  });
});

/** What may come before an answer to an upgrade, and never ends. */
const BEFORE: readonly (readonly [what: string, piece: Buffer])[] = [
  ["answers in advance", Buffer.from("HTTP/1.1 100 Continue\r\n\r\n".repeat(2_000))],
  ["hints", Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1_000))],
];

describe("C-17: before the upgrade, an agent ends the connection of a server", () => {
  it.each(BEFORE)("that sends %s without end", async (_what, piece) => {
    const flows: { readonly sent: number }[] = [];
    await using server = await tcpServer((socket) => {
      flows.push(endless(socket, piece));
    });
    await using agent = await startAgent({ server: `ws://127.0.0.1:${server.port}` });
    const text = expect.stringContaining("more before its answer than any server does");
    expect(await reasonOf(agent)).toMatchObject({ text });
    for (const { sent } of flows) expect(sent).toBeLessThan(16 * MIB);
  });

  it("that sends a header without end", async () => {
    const flows: { readonly sent: number }[] = [];
    await using server = await tcpServer((socket) => {
      flows.push(endless(socket, Buffer.alloc(64 << 10, "a")));
      socket.once("data", () => socket.write("HTTP/1.1 101 Switching Protocols\r\nX-A: "));
    });
    await using agent = await startAgent({ server: `ws://127.0.0.1:${server.port}` });
    expect(await reasonOf(agent)).toBeDefined();
    for (const { sent } of flows) expect(sent).toBeLessThan(16 * MIB);
  });

  it("whose answer is not there in thirty seconds, though something comes again and again", async () => {
    const clock = new FakeClock();
    const reached = Promise.withResolvers<Socket>();
    await using server = await tcpServer((socket) => {
      socket.once("data", () => reached.resolve(socket));
    });
    const config = { proxy: "", tlsPins: [], headers: [], hostHeader: "" };
    const ws = await openWebSocket(`ws://127.0.0.1:${server.port}/`, config, clock);
    const failed = once(ws, "error");
    const socket = await reached.promise;
    for (let n = 0; n < 3; n += 1) {
      socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      clock.advance(10_000);
    }
    const [error] = await failed;
    expect(error).toMatchObject({ message: "no answer in 30 seconds" });
    expect(clock.timers).toBe(0);
  });
});

describe("S-27: the log of an agent", () => {
  it.each(["169.254.169.254:80", "nowhere-NUMBER.invalid:80", "127.0.0.1:1"])(
    "grows by some lines a minute however often its server asks for %s",
    async (target) => {
      await using hostile = await startHostileServer();
      const resolve = async (name: string) => Promise.reject(new Error(`no such name: ${name}`));
      await using agent = await startAgent({ server: hostile.url }, { resolve });
      const session = await hostile.next();
      await agent.online();
      const before = agent.lines.length;
      for (let n = 0; n < 200; n++) {
        session.send(openOf(n, TUNNEL_CHANNEL, target.replace("NUMBER", String(n))));
      }
      const ended = () => ofKind(session, "openFailure").length + ofKind(session, "close").length;
      await eventually(() => expect(ended()).toBe(200));
      expect(agent.lines.length).toBeGreaterThanOrEqual(before + 30);
      expect(agent.lines.length).toBeLessThan(before + 40);
    },
  );
});

describe("C-17: after the login, an agent ends the connection of a server that sends", () => {
  it("one message of 20 MiB", async () => {
    await using hostile = await startHostileServer();
    await using agent = await startAgent({ server: hostile.url });
    const { ws } = await hostile.next();
    await agent.online();
    beginMessage(ws, { pieces: 320 });
    expect(await reasonOf(agent)).toMatchObject({ kind: "size" });
  });

  it("one packet of more than 256 KiB", async () => {
    await using hostile = await startHostileServer();
    await using agent = await startAgent({ server: hostile.url });
    const session = await hostile.next();
    await agent.online();
    const payload = Buffer.alloc(300_000);
    session.send({ kind: "globalRequest", name: "run_cmd", wantReply: true, payload });
    expect(await reasonOf(agent)).toMatchObject({ kind: "size" });
  });

  it("and is back as soon as its server is itself again", async () => {
    await using hostile = await startHostileServer();
    await using honest = await startAgentServer();
    const client = { fallback_servers: [honest.url] };
    await using agent = await startAgent({ server: hostile.url, client });
    const { ws } = await hostile.next();
    await agent.online();
    beginMessage(ws, { pieces: 320 });
    await reasonOf(agent);
    await hostile[Symbol.asyncDispose]();
    const session = await honest.next();
    expect(await session.ask("ping")).toEqual({ ok: true, text: "" });
  });
});

describe("C-29: a server in wrong hands", () => {
  it.each(["session", "x11", "direct-tcpip", "forwarded-tcpip", "auth-agent@openssh.com", ""])(
    "opens no channel of another type: %s",
    async (type) => {
      await using hostile = await startHostileServer();
      await using _agent = await startAgent({ server: hostile.url });
      const session = await hostile.next();
      session.send(openOf(1, type, "127.0.0.1:1"));
      await eventually(() =>
        expect(ofKind(session, "openFailure")).toMatchObject([{ recipient: 1, code: 3 }]),
      );
    },
  );

  it("opens 4,096 channels and no more, with 10 MiB of room for all of them", async () => {
    await using target = await silentTarget();
    await using hostile = await startHostileServer();
    await using agent = await startAgent({ server: hostile.url });
    const session = await hostile.next();
    for (let n = 0; n < 4_140; n += 1) {
      session.send(openOf(n, TUNNEL_CHANNEL, `127.0.0.1:${target.port}`));
    }
    await eventually(() => expect(ofKind(session, "openFailure")).toHaveLength(44), 60_000);
    const opened = ofKind(session, "openConfirmation");
    expect(opened).toHaveLength(4_096);
    expect(opened.reduce((sum, { window }) => sum + window, 0)).toBeLessThanOrEqual(10 * MIB);
    expect(new Set(ofKind(session, "openFailure").map(({ code }) => code))).toEqual(new Set([4]));

    // Whoever fills all of it moves nothing more, because the target takes nothing.
    for (const { sender, window } of opened) fill(session, sender, window);
    session.send({
      kind: "globalRequest",
      name: "ping",
      wantReply: true,
      payload: Buffer.alloc(0),
    });
    await eventually(() => expect(ofKind(session, "globalSuccess")).toHaveLength(1), 20_000);
    expect(agent.agent.state.kind).toBe("online");
  });
});

/** A target whose sockets are never read. */
function silentTarget(): Promise<TcpServer> {
  return tcpServer((socket) => void socket.pause());
}

function fill({ send }: HostileSession, recipient: number, window: number): void {
  for (let left = window; left > 0; left -= 32_768) {
    send({ kind: "data", recipient, data: Buffer.alloc(Math.min(left, 32_768)) });
  }
}

/** The rest of an SSH_MSG_IGNORE of about 4 kB in clear text. */
function ignore(): Buffer {
  const payload = Buffer.alloc(4_091);
  payload[0] = 2;
  payload.writeUInt32BE(4_082, 1);
  return payload;
}
