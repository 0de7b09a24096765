import { once } from "node:events";
import { REQUESTS } from "@rport/protocol/agent";
import { encodeMessage } from "@rport/protocol/wire/connection/messages";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type AgentSide, SECRET, startAgentSide } from "../../support/agents/agentSide.ts";
import { PeerAgent, PLAIN_INTRODUCTION } from "../../support/agents/peerAgent.ts";
import { eventually } from "../../support/eventually.ts";
import { RawPeer } from "../../support/faults/rawPeer.ts";
import { AGENT_HEADERS } from "../../support/faults/silentPeers.ts";

/** A Go client's write buffer, less its frame's head. */
const GO_FRAGMENT_BYTES = 1_010;
const MIB = 1 << 20;

function request(name: string, payload: object | Buffer): Buffer {
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
  return encodeMessage({ kind: "globalRequest", name, wantReply: true, payload: bytes });
}

/** From now on each message leaves as a Go client sends it: in continued frames of about 1 KiB. */
function sendAsGo(ws: WebSocket): void {
  const send = ws.send.bind(ws) as (data: Buffer, options: { fin: boolean }) => void;
  ws.send = (data: Buffer | string) => {
    const bytes = Buffer.from(data as string);
    for (let at = 0; at < bytes.length; at += GO_FRAGMENT_BYTES) {
      const end = at + GO_FRAGMENT_BYTES;
      send(bytes.subarray(at, end), { fin: end >= bytes.length });
    }
  };
}

/** Begins a message and sends it a byte at a time, without an end. */
function drip(ws: WebSocket, fragments: number): void {
  for (let n = 0; n < fragments; n += 1) ws.send(Buffer.of(1), { fin: false });
}

async function letIn(
  side: AgentSide,
  change: (ws: WebSocket) => void = () => {},
  introduction: object = PLAIN_INTRODUCTION,
) {
  const peer = new RawPeer({ url: side.url, stage: "login", headers: AGENT_HEADERS });
  change(peer.ws);
  await peer.reached.promise;
  peer.send(request(REQUESTS.newConnection, introduction));
  await eventually(() => expect(answersOf(peer)).toBe(1));
  return peer;
}

/** Bytes that are held for all agents. */
const held = ({ limits }: AgentSide): number =>
  limits.states().find(({ name }) => name === "held_bytes")?.used ?? Number.NaN;

const answersOf = ({ received }: RawPeer) =>
  received.filter(({ kind }) => kind === "globalSuccess").length;

describe("C-16: messages in fragments", () => {
  it("of 1 KiB are taken from the first to results of megabytes, as Go clients send them", async () => {
    await using side = await startAgentSide();
    const peer = await letIn(side, sendAsGo);
    peer.send(request("cmd_result", Buffer.alloc(15 * MIB)));
    await eventually(() => expect(answersOf(peer)).toBe(2), 20_000);
    peer.ws.terminate();
  });

  it("of a byte end the connection after a thousand, before the login", async () => {
    await using side = await startAgentSide();
    const ws = new WebSocket(side.url, { headers: AGENT_HEADERS, perMessageDeflate: false });
    ws.on("error", () => {});
    await once(ws, "open");
    drip(ws, 1_025);
    await once(ws, "close");
  });

  it("of a byte end it after a thousand, until the client is in, and after 32,000 then", async () => {
    await using side = await startAgentSide();
    const silent = new RawPeer({ url: side.url, stage: "login", headers: AGENT_HEADERS });
    await silent.reached.promise;
    const peer = await letIn(side);
    drip(silent.ws, 1_025);
    await silent.ended.promise;
    drip(peer.ws, 33_000);
    await peer.ended.promise;
    const bites = () =>
      Object.fromEntries(side.limits.states().map(({ name, bites: count }) => [name, count]));
    await eventually(() =>
      expect(bites()).toMatchObject({ first_message_bytes: 1, plain_message_bytes: 1 }),
    );
    await using other = await PeerAgent.join({ url: side.url, user: "fleet", password: SECRET });
    expect((await other.ask(REQUESTS.ping)).ok).toBe(true);
  });

  it("that are not complete are counted for agents of ours, too, with the memory that they take", async () => {
    await using side = await startAgentSide();
    const own = { ...PLAIN_INTRODUCTION, Features: ["half-close"] };
    const peer = await letIn(side, () => {}, own);
    const before = held(side);
    peer.ws.send(Buffer.alloc(200_000), { fin: false });
    await eventually(() => expect(held(side) - before).toBeGreaterThan(190_000));
    expect(held(side) - before).toBeLessThan(500_000);
    peer.ws.send(Buffer.alloc(1), { fin: true });
    await once(peer.ws, "close");
    await eventually(() => expect(held(side)).toBe(0));
  });
});
