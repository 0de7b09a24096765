import { once } from "node:events";
import { REQUESTS } from "@rport/protocol/agent";
import { encodeMessage } from "@rport/protocol/wire/connection/messages";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { LimitName } from "../../../backend/src/limits/limitTable.ts";
import {
  type AgentSide,
  type AgentSideOptions,
  SECRET,
  startAgentSide,
} from "../../support/agents/agentSide.ts";
import { PeerAgent, PLAIN_INTRODUCTION } from "../../support/agents/peerAgent.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { RawPeer } from "../../support/faults/rawPeer.ts";
import { AGENT_HEADERS } from "../../support/faults/silentPeers.ts";
import { clearPacket, kexinit } from "../../support/wire/kexinit.ts";

const MIB = 1 << 20;
/** RPort's clients of this version are never pinged. */
const NEVER_PINGED = { ...PLAIN_INTRODUCTION, Version: "0.9.0" };

const stateOf = ({ limits }: AgentSide, name: LimitName) =>
  limits.states().find((state) => state.name === name);
const held = (side: AgentSide): number => stateOf(side, "held_bytes")?.used ?? Number.NaN;

/** A client that is in, as RPort's own, and can be told to say nothing more. */
async function letIn(side: AgentSide, id: string) {
  let isMute = false;
  const onWrite = (bytes: Buffer) => (isMute ? Buffer.alloc(0) : bytes);
  const peer = new RawPeer({ url: side.url, stage: "login", headers: AGENT_HEADERS, onWrite });
  await peer.reached.promise;
  const payload = Buffer.from(JSON.stringify({ ...NEVER_PINGED, ID: id }));
  const name = REQUESTS.newConnection;
  peer.send(encodeMessage({ kind: "globalRequest", name, wantReply: true, payload }));
  await eventually(() => expect(peer.received.map(({ kind }) => kind)).toContain("globalSuccess"));
  const mute = () => {
    isMute = true;
  };
  return { peer, mute };
}

/** Begins a packet of 16 MiB and sends so many bytes of it, in whole messages of the WebSocket. */
function beginPacket({ ws }: RawPeer, bytes: number): void {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(16 * MIB);
  ws.send(length);
  for (let left = bytes; left > 0; left -= MIB) ws.send(Buffer.alloc(Math.min(left, MIB)));
}

async function beginPackets(side: AgentSide, count: number, bytes: number): Promise<RawPeer[]> {
  const peers: RawPeer[] = [];
  for (let n = 0; n < count; n += 1) {
    const { peer } = await letIn(side, `machine-${n}`);
    beginPacket(peer, bytes);
    peers.push(peer);
  }
  return peers;
}

/** Who is still connected of those who sent halves, and whether anybody else is served. */
async function ended(side: AgentSide, peers: readonly RawPeer[]): Promise<number> {
  await using agent = await PeerAgent.join({
    url: side.url,
    user: "fleet",
    password: SECRET,
    introduction: { ID: "honest" },
  });
  expect((await agent.ask(REQUESTS.ping)).ok).toBe(true);
  return peers.filter(({ ws }) => ws.readyState !== ws.OPEN).length;
}

describe("C-16: half a packet in whole messages", () => {
  const start = (options: AgentSideOptions = {}) => startAgentSide(options);

  it("is counted with the memory that it takes, until it is complete or its sender gone", async () => {
    await using side = await start();
    const [one, two] = [await letIn(side, "machine-1"), await letIn(side, "machine-2")];
    beginPacket(one.peer, 3 * MIB);
    await eventually(() => expect(held(side)).toBeGreaterThanOrEqual(3 * MIB));
    expect(held(side)).toBeLessThan(6 * MIB);
    one.peer.ws.terminate();
    await eventually(() => expect(held(side)).toBe(0));
    let cut: Buffer | undefined;
    const send = two.peer.ws.send.bind(two.peer.ws) as (data: Buffer) => void;
    two.peer.ws.send = (data: unknown) => {
      const bytes = Buffer.from(data as Buffer);
      send(bytes.subarray(0, 2 * MIB));
      cut = bytes.subarray(2 * MIB);
    };
    const payload = Buffer.alloc(3 * MIB);
    two.peer.send(
      encodeMessage({ kind: "globalRequest", name: "cmd_result", wantReply: true, payload }),
    );
    await eventually(() => expect(held(side)).toBeGreaterThanOrEqual(2 * MIB));
    send(cut ?? Buffer.alloc(0));
    await eventually(() => expect(two.peer.received).toHaveLength(2));
    await eventually(() => expect(held(side)).toBe(0));
    two.peer.ws.terminate();
  });

  it("of many hosts with one secret is bounded, logged and counted, and others are served", async () => {
    await using side = await start({ limits: { held_bytes_per_credential: 8 * MIB } });
    const peers = await beginPackets(side, 6, 2 * MIB);
    await eventually(() =>
      expect(stateOf(side, "held_bytes_per_credential")?.bites).toBeGreaterThanOrEqual(2),
    );
    expect(held(side)).toBeLessThanOrEqual(8 * MIB);
    expect(side.log.some((line) => line.includes("held_bytes_per_credential"))).toBe(true);
    expect(await ended(side, peers)).toBe(stateOf(side, "held_bytes_per_credential")?.bites);
    for (const { ws } of peers) ws.terminate();
  });

  it("of all hosts is bounded, too", async () => {
    await using side = await start({ limits: { held_bytes: 16 * MIB } });
    const peers = await beginPackets(side, 3, 10 * MIB);
    await eventually(() => expect(stateOf(side, "held_bytes")?.bites).toBeGreaterThanOrEqual(2));
    expect(held(side)).toBeLessThanOrEqual(16 * MIB);
    expect(await ended(side, peers)).toBe(stateOf(side, "held_bytes")?.bites);
    for (const { ws } of peers) ws.terminate();
  });

  it("ends its session after five minutes, also where no ping would; so does half a message", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    const [packet, message] = [await letIn(side, "machine-1"), await letIn(side, "machine-2")];
    beginPacket(packet.peer, MIB);
    message.peer.ws.send(Buffer.alloc(2 * MIB), { fin: false });
    await eventually(() => expect(held(side)).toBeGreaterThanOrEqual(3 * MIB));
    clock.advance(299_999);
    expect(await ended(side, [packet.peer, message.peer])).toBe(0);
    clock.advance(1);
    const goodbyes = await Promise.all([packet.peer.ended.promise, message.peer.ended.promise]);
    expect(goodbyes).toEqual(new Array(2).fill("what was begun was not completed in time"));
    await eventually(() => expect(held(side)).toBe(0));
    const told = side.log.filter((line) => line.includes("was not completed in time"));
    expect(told).toHaveLength(2);
  });
});

it("C-12: what a key exchange needs is counted before the login, too", async () => {
  await using side = await startAgentSide();
  const ws = new WebSocket(side.url, { headers: AGENT_HEADERS, perMessageDeflate: false });
  ws.on("error", () => {});
  await once(ws, "open");
  ws.send("SSH-rport-v1-client\r\n");
  ws.send(clearPacket(kexinit(30_000)));
  await eventually(() => expect(held(side)).toBeGreaterThanOrEqual(30_000));
  expect(held(side)).toBeLessThan(32_000);
  ws.terminate();
  await eventually(() => expect(held(side)).toBe(0));
});

it("C-12: what a key exchange needs is counted while it runs", async () => {
  const clock = new FakeClock();
  await using side = await startAgentSide({ clock });
  const { peer, mute } = await letIn(side, "machine-1");
  peer.send(kexinit(34_000));
  mute();
  await eventually(() => expect(held(side)).toBeGreaterThanOrEqual(34_000));
  expect(held(side)).toBeLessThan(36_000);
  clock.advance(30_000);
  await peer.ended.promise;
  await eventually(() => expect(held(side)).toBe(0));
});
