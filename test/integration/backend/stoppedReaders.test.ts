import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { clientIdSchema } from "@rport/protocol/ids";
import { Relays } from "@rport/protocol/wire/relay";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createDial } from "../../../backend/src/tunnels/dialer.ts";
import { serveEditorTunnel } from "../../../backend/src/tunnels/editorTunnel.ts";
import { type AgentSide, SECRET, startAgentSide } from "../../support/agents/agentSide.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { eventually } from "../../support/eventually.ts";
import { steady } from "../../support/steady.ts";
import { type TcpServer, tcpServer } from "../../support/wire/wireTunnel.ts";

const ID = clientIdSchema.parse("machine-1");
const STOPPED = 20;
const MIB = 1 << 20;
/** What may wait in the stream to one reader, beside the room of its channel. */
const STALLED_BYTES = 128 << 10;
const PIECE = Buffer.alloc(64 << 10, "x");

const heldBytes = ({ limits }: AgentSide) =>
  limits.states().find(({ name }) => name === "held_bytes")?.used ?? 0;

/** Sends for ever; counts what it got rid of on each connection. */
async function endlessSource(): Promise<TcpServer & { readonly sent: () => number[] }> {
  const sent: number[] = [];
  const server = await tcpServer((socket) => {
    const index = sent.push(0) - 1;
    const write = () => {
      while (!socket.destroyed && socket.write(PIECE)) sent[index] = (sent[index] ?? 0) + 1;
    };
    socket.on("drain", write);
    write();
  });
  return {
    port: server.port,
    sent: () => sent,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function start() {
  const side = await startAgentSide();
  const agent = await PeerAgent.join({
    url: side.url,
    user: "fleet",
    password: SECRET,
    introduction: { Features: ["half-close"] },
  });
  agent.connection.halfClose = true;
  return {
    side,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await side[Symbol.asyncDispose]();
    },
  };
}

/** Readers of a server tunnel that read nothing. */
async function throughServer(side: AgentSide, target: TcpServer): Promise<() => void> {
  const { lport } = await side.tunnels.create(
    ID,
    { remote: String(target.port) },
    { owner: "ann" },
  );
  const sockets = await Promise.all(
    Array.from({ length: STOPPED }, async (): Promise<Socket> => {
      const socket = connect(Number(lport), "127.0.0.1").pause();
      await once(socket, "connect");
      return socket;
    }),
  );
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

/** Editors whose WebSocket reads nothing. */
async function throughEditors(side: AgentSide, target: TcpServer): Promise<() => void> {
  const dial = createDial((id) => side.presence.connected(id), side.dial);
  const relays = new Relays();
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  server.on("connection", (ws) => {
    const to = () => dial(ID, { host: "127.0.0.1", port: target.port });
    void serveEditorTunnel(ws, { dial: to, relays });
  });
  const { port } = server.address() as { port: number };
  const editors = await Promise.all(
    Array.from({ length: STOPPED }, async () => {
      const ws = new WebSocket(`ws://127.0.0.1:${port}`);
      await once(ws, "open");
      ws.pause();
      return ws;
    }),
  );
  return () => {
    for (const ws of editors) ws.terminate();
    server.close();
  };
}

describe("F-09: readers that stop", () => {
  it.each([
    ["of a server tunnel", throughServer],
    ["in editors", throughEditors],
  ])("%s make their sources wait in memory that is counted and bounded", async (_what, stop) => {
    await using running = await start();
    const { side } = running;
    await using source = await endlessSource();
    await using echo = await tcpServer((socket) => socket.pipe(socket));
    const leave = await stop(side, source);
    await eventually(() => expect(source.sent()).toHaveLength(STOPPED));
    await steady(() => source.sent().reduce((sum, one) => sum + one, 0), 50);
    const held = heldBytes(side);
    expect(held).toBeGreaterThan(2 * MIB);
    expect(held).toBeLessThan(8 * MIB + STOPPED * STALLED_BYTES);

    const stream = await side.dial(requireLink(side), { host: "127.0.0.1", port: echo.port });
    const sent = Buffer.alloc(4 * MIB, "other");
    const back: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => back.push(chunk));
    stream.end(sent);
    await once(stream, "end");
    expect(Buffer.concat(back).equals(sent)).toBe(true);

    leave();
    await eventually(() => expect(heldBytes(side)).toBe(0));
  });
});

function requireLink(side: AgentSide) {
  const link = side.presence.connected(ID);
  if (link === undefined) throw new Error("the client is not connected");
  return link;
}
