import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { type AgentSide, SECRET, startAgentSide } from "../../support/agents/agentSide.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { everythingRead } from "../../support/everythingRead.ts";

const AGENT = { "Sec-WebSocket-Protocol": "rport-v1" };

/** The status an upgrade request is answered with, and the headers of the answer. */
function upgrade(side: AgentSide, headers: Record<string, string>, path = "/") {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>(
    (resolve, reject) => {
      const { port } = side;
      const usual = {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      };
      const asked = request({ host: "127.0.0.1", port, path, headers: { ...usual, ...headers } });
      asked.on("upgrade", (response, socket) => {
        socket.destroy();
        resolve({ status: 101, headers: response.headers });
      });
      asked.on("response", (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
      });
      asked.on("error", reject);
      asked.end();
    },
  );
}

/** A socket that has been let in and says nothing. */
async function silentSocket(side: AgentSide): Promise<WebSocket> {
  const ws = new WebSocket(side.url, { headers: AGENT, perMessageDeflate: false });
  ws.on("error", () => {});
  await new Promise((resolve) => ws.once("open", resolve));
  return ws;
}

const closed = (ws: WebSocket) => new Promise((resolve) => ws.once("close", resolve));

it.each(["/", "/any/path?with=query", "/api/v1/clients"])(
  "lets agents in on the path %s, without repeating the subprotocol or compressing",
  async (path) => {
    await using side = await startAgentSide();
    const extensions = { "Sec-WebSocket-Extensions": "permessage-deflate" };
    const { status, headers } = await upgrade(side, { ...AGENT, ...extensions }, path);
    expect(status).toBe(101);
    expect(headers["sec-websocket-protocol"]).toBeUndefined();
    expect(headers["sec-websocket-extensions"]).toBeUndefined();
  },
);

it.each(["rport-v1, x", "x, rport-v1", "RPORT-V1", "rport-v2", "rport-v1,rport-v1"])(
  "answers 404 to the subprotocol %j",
  async (subprotocol) => {
    await using side = await startAgentSide();
    expect(await upgrade(side, { "Sec-WebSocket-Protocol": subprotocol })).toMatchObject({
      status: 404,
    });
  },
);

it("answers 404 without a subprotocol", async () => {
  await using side = await startAgentSide();
  expect(await upgrade(side, {})).toMatchObject({ status: 404 });
});

it("turns sockets away above the limits, and lets them in again when others have left", async () => {
  const clock = new FakeClock();
  await using side = await startAgentSide({ clock, limits: { pending_sockets_per_network: 2 } });
  const first = await silentSocket(side);
  await silentSocket(side);
  expect(await upgrade(side, AGENT)).toMatchObject({
    status: 429,
    headers: { "retry-after": "1" },
  });
  first.terminate();
  await eventually(async () => expect(await upgrade(side, AGENT)).toMatchObject({ status: 101 }));
  expect(side.door.counters.beforeLogin).toBeGreaterThanOrEqual(2);
});

it("F-03: takes nobody's place who has spoken, though the server stood still and has not read it", async () => {
  const clock = new FakeClock();
  await using side = await startAgentSide({ clock, limits: { pending_sockets_per_network: 2 } });
  const talking = await silentSocket(side);
  const silent = await silentSocket(side);
  const newcomer = connect(side.port, "127.0.0.1").on("error", () => {});
  const lines = ["GET / HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"];
  const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  const head = `${lines.join("\r\n")}\r\n${key}\r\nSec-WebSocket-Protocol: rport-v1\r\n`;
  await new Promise<void>((resolve) => newcomer.write(head, () => resolve()));
  await everythingRead();
  const answer = once(newcomer, "data");
  // All within one turn: the newcomer's request is the first that the server gets to see.
  newcomer.write("\r\n");
  talking.send(Buffer.from("SSH-2.0-agent\r\n"));
  clock.advance(3_000);
  const ended = await Promise.race([closed(talking), closed(silent).then(() => "silent")]);
  expect(ended).toBe("silent");
  expect(String((await answer)[0])).toMatch(/^HTTP\/1.1 101 /);
  expect(talking.readyState).toBe(WebSocket.OPEN);
  newcomer.destroy();
});

it("answers 503 when too many have not signed in yet", async () => {
  const clock = new FakeClock();
  await using side = await startAgentSide({ clock, limits: { pending_sockets: 1 } });
  await silentSocket(side);
  expect(await upgrade(side, AGENT)).toMatchObject({ status: 503 });
});

it("does not count those who have signed in", async () => {
  await using side = await startAgentSide({ limits: { pending_sockets: 1 } });
  for (const ID of ["a", "b", "c"]) {
    const { url } = side;
    await PeerAgent.join({ url, user: "fleet", password: SECRET, introduction: { ID } });
  }
  expect(side.registry.counts.connected).toBe(3);
});

it("ends who sends garbage, and only that connection", async () => {
  await using side = await startAgentSide();
  const { url } = side;
  await using agent = await PeerAgent.join({ url, user: "fleet", password: SECRET });
  const noise = await silentSocket(side);
  noise.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
  await closed(noise);
  expect(side.door.counters.beforeLogin).toBe(1);
  expect(await agent.ask("ping")).toMatchObject({ ok: true });
});

it("C-14: ends who sends more than 64 KiB before signing in", async () => {
  await using side = await startAgentSide();
  const flood = await silentSocket(side);
  flood.send(Buffer.alloc((64 << 10) + 1));
  await closed(flood);
  await eventually(() => expect(side.door.counters.beforeLogin).toBe(1));
});

it("C-14: ends who stays silent instead of signing in", async () => {
  await using side = await startAgentSide({ door: { transportLimits: { handshakeMs: 50 } } });
  await closed(await silentSocket(side));
  await eventually(() => expect(side.door.counters.beforeLogin).toBe(1));
});

it("survives a socket that disappears during the upgrade", async () => {
  await using side = await startAgentSide({ limits: { pending_sockets_per_network: 1 } });
  const socket = connect(side.port, "127.0.0.1");
  const lines = ["GET / HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"];
  socket.write(`${lines.join("\r\n")}\r\nSec-WebSocket-Protocol: rport-v1\r\n\r\n`);
  socket.on("error", () => {});
  socket.resetAndDestroy();
  await eventually(async () => expect(await upgrade(side, AGENT)).toMatchObject({ status: 101 }));
});

it("refuses a wrong secret, counts it, and never logs it", async () => {
  await using side = await startAgentSide();
  const wrong = "a-wrong-but-secret-password";
  await expect(
    PeerAgent.signIn({ url: side.url, user: "fleet", password: wrong }),
  ).rejects.toMatchObject({ kind: "login" });
  expect(side.door.counters).toMatchObject({ beforeLogin: 0, afterLogin: 0, failedLogins: 1 });
  expect(side.log.join()).not.toContain(wrong);
});

it("ends all connections when it closes", async () => {
  await using side = await startAgentSide();
  const { url } = side;
  const agent = await PeerAgent.join({ url, user: "fleet", password: SECRET });
  const pending = await silentSocket(side);
  await side.door.close();
  expect((await agent.closed).text).toBe("the server is stopping");
  await closed(pending);
  expect(side.registry.counts.connected).toBe(0);
});

it("lets more in from an address where agents are, or were within 30 days", async () => {
  const clock = new FakeClock();
  await using side = await startAgentSide({ clock, limits: { pending_sockets_per_network: 1 } });
  const { url } = side;
  const agent = await PeerAgent.join({ url, user: "fleet", password: SECRET });
  const first = await silentSocket(side);
  expect(await upgrade(side, AGENT)).toMatchObject({ status: 101 });
  agent.close();
  await eventually(() => expect(side.registry.counts.connected).toBe(0));
  expect(await upgrade(side, AGENT)).toMatchObject({ status: 101 });
  first.terminate();
  clock.advance(31 * 24 * 3_600_000);
  await silentSocket(side);
  await eventually(async () => expect(await upgrade(side, AGENT)).toMatchObject({ status: 429 }));
});
