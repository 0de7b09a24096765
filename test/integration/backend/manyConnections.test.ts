import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { type AgentSide, SECRET, startAgentSide } from "../../support/agents/agentSide.ts";
import { rangesFrom } from "../../support/agents/fleetTunnels.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const ID = clientIdSchema.parse("test-agent");
/** A tenth of what was tried by hand: 12,000 of them. */
const SHORT = 1_200;
const PARALLEL = 200;
const HELD = 900;
const TEST_MS = 120_000;

const range = rangesFrom(10_000 + (process.pid % 15) * 60);

/** RPort's own client knows no half-close: both sides close, and wait for one another. */
async function goLike(side: AgentSide): Promise<AsyncDisposable> {
  const introduction = { ID };
  return await PeerAgent.join({ url: side.url, user: "fleet", password: SECRET, introduction });
}

async function ours(side: AgentSide): Promise<AsyncDisposable> {
  const agent = await startAgent({ server: side.url });
  await agent.online();
  return agent;
}

async function dialed(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** So many tunnels of as many users to one port of the client's: of each the port here. */
async function tunnelsOfUsers(side: AgentSide, port: number, count: number): Promise<number[]> {
  const lports: number[] = [];
  for (let n = 0; n < count; n += 1) {
    // Tunnels to one target have to differ in who may use them.
    const query = { remote: String(port), acl: `127.0.0.0/${8 + n}` };
    const { lport } = await side.tunnels.create(ID, query, { owner: `user ${n}` });
    lports.push(Number(lport));
  }
  return lports;
}

const connectionsOf = ({ tunnels }: AgentSide) =>
  tunnels.list().reduce((sum, { connections }) => sum + connections, 0);

describe.each([
  ["a client like RPort's", goLike],
  ["our agent", ours],
])("a tunnel of %s", (_who, join) => {
  it("carries short connections by the hundreds, each of them", { timeout: TEST_MS }, async () => {
    await using side = await startAgentSide({ range: range() });
    await using target = await tcpServer((socket) => void socket.pipe(socket));
    await using _agent = await join(side);
    const { lport } = await side.tunnels.create(
      ID,
      { remote: String(target.port) },
      { owner: "ann" },
    );
    let good = 0;
    const worker = async () => {
      for (let n = 0; n < SHORT / PARALLEL; n += 1) {
        const socket = await dialed(Number(lport));
        socket.write("x".repeat(100));
        const [answer] = await once(socket, "data");
        if (answer.length === 100) good += 1;
        socket.destroy();
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    expect(good).toBe(SHORT);
    expect(side.limits.states().filter(({ bites }) => bites > 0)).toEqual([]);
  });

  it("holds nine hundred at once, and each goes on", { timeout: TEST_MS }, async () => {
    await using side = await startAgentSide({ range: range() });
    await using target = await tcpServer((socket) => void socket.pipe(socket));
    await using _agent = await join(side);
    const { lport } = await side.tunnels.create(
      ID,
      { remote: String(target.port) },
      { owner: "ann" },
    );
    const held: Socket[] = [];
    for (let n = 0; n < HELD; n += 1) {
      const socket = await dialed(Number(lport));
      held.push(socket);
      socket.write("x");
      await once(socket, "data");
    }
    const words = Buffer.alloc(3_000, "w");
    for (const socket of held) socket.end(words);
    const answers = await Promise.all(held.slice(-50).map((socket) => buffer(socket)));
    if (join === ours) for (const answer of answers) expect(answer.equals(words)).toBe(true);
    for (const socket of held) socket.destroy();
    await eventually(() => expect(side.tunnels.list()[0]?.connections).toBe(0));
  });
});

describe("connections that only wait for their end", () => {
  it("do not count: the agent says late that they are over", async () => {
    const limits = { channels_per_agent: 8 };
    await using side = await startAgentSide({ range: range(), limits });
    await using target = await tcpServer((socket) => void socket.pipe(socket));
    const login = { url: side.url, user: "fleet", password: SECRET, introduction: { ID } };
    await using agent = await PeerAgent.join(login);
    const lports = await tunnelsOfUsers(side, target.port, 10);
    const first = await Promise.all(lports.slice(0, 8).map(dialed));
    for (const socket of first) {
      socket.write("x");
      await once(socket, "data");
    }
    const before = agent.connection.channelCount;
    agent.connection.transport.pause();
    for (const socket of first.slice(0, 2)) socket.resetAndDestroy();
    await eventually(() => expect(connectionsOf(side)).toBe(6));
    const next = await Promise.all(lports.slice(8).map(dialed));
    expect([before, agent.connection.channelCount]).toEqual([8, 8]);
    agent.connection.transport.resume();
    for (const socket of next) {
      socket.write("y");
      await once(socket, "data");
    }
    expect(side.limits.states().filter(({ bites }) => bites > 0)).toEqual([]);
    for (const socket of [...first, ...next]) socket.destroy();
  });
});

/** Whether somebody at the other end answers; false: the connection ends before. */
async function isAnswered(socket: Socket): Promise<boolean> {
  socket.on("error", () => {});
  const answered = once(socket, "data").then(() => true);
  const ended = new Promise<boolean>((resolve) => socket.once("close", () => resolve(false)));
  socket.write("x");
  return await Promise.race([answered.catch(() => false), ended]);
}

describe("a connection more than a host may have", () => {
  it("ends at once, and the log, the figures and the audit log say why", async () => {
    const tunnels = { bind: "127.0.0.1", ports: [range()] };
    // All of them are of one person: without accounts there is nobody to leave some to.
    await using backend = await startBackend({ tunnels, limits: { channels_per_agent: 8 } });
    await backend.api("createCredential", { body: { id: "fleet", password: SECRET } });
    await using target = await tcpServer((socket) => void socket.pipe(socket));
    const url = backend.url.replace("http", "ws");
    await using _agent = await PeerAgent.join({ url, user: "fleet", password: SECRET });
    const { lport } = await backend.api("createTunnel", {
      params: { clientId: "machine-1" },
      query: { remote: String(target.port) },
    });
    const open: Socket[] = [];
    for (;;) {
      const socket = await dialed(Number(lport));
      if (!(await isAnswered(socket))) break;
      open.push(socket);
    }
    expect(open).toHaveLength(8);
    const line = await backend.logged((one) => one.includes("a limit was met"));
    expect(JSON.parse(line)).toMatchObject({
      limit: "channels_per_agent",
      client: "machine-1",
    });
    await eventually(async () => {
      const query = { "filter[application]": "client.tunnel", "filter[action]": "failed" };
      const [entry] = await backend.api("listAudit", { query });
      expect(entry).toMatchObject({ client_id: "machine-1" });
      const request = { by: "server", limit: "channels_per_agent", max: 8 };
      expect(JSON.parse(entry?.request ?? "")).toEqual(request);
    });
    for (const socket of open) socket.destroy();
  });
});
