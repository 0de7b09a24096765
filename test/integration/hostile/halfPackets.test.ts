import { once } from "node:events";
import { REQUESTS } from "@rport/protocol/agent";
import { encodeMessage } from "@rport/protocol/wire/connection/messages";
import { rawSocket } from "@rport/protocol/wire/transport/websocket";
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

/** Begins a packet of 16 MiB and sends its length and so many bytes of it, in whole messages of the WebSocket. */
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

/** How many of those who sent halves have seen their end by now. */
const ended = (peers: readonly RawPeer[]): number =>
  peers.filter(({ ws }) => ws.readyState !== ws.OPEN).length;

async function expectOthersAreServed(side: AgentSide): Promise<void> {
  await using agent = await PeerAgent.join({
    url: side.url,
    user: "fleet",
    password: SECRET,
    introduction: { ID: "honest" },
  });
  expect((await agent.ask(REQUESTS.ping)).ok).toBe(true);
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
    // All but the length of the packet.
    await eventually(() => expect(held(side)).toBeGreaterThanOrEqual(2 * MIB - 4));
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
    await expectOthersAreServed(side);
    await eventually(() =>
      expect(ended(peers)).toBe(stateOf(side, "held_bytes_per_credential")?.bites),
    );
    for (const { ws } of peers) ws.terminate();
  });

  it("of all hosts is bounded, too", async () => {
    await using side = await start({ limits: { held_bytes: 16 * MIB } });
    const peers = await beginPackets(side, 3, 10 * MIB);
    await eventually(() => expect(stateOf(side, "held_bytes")?.bites).toBeGreaterThanOrEqual(2));
    expect(held(side)).toBeLessThanOrEqual(16 * MIB);
    await expectOthersAreServed(side);
    await eventually(() => expect(ended(peers)).toBe(stateOf(side, "held_bytes")?.bites));
    for (const { ws } of peers) ws.terminate();
  });

  it("takes little where a Go client has sent the first 4 KiB of a large result", async () => {
    await using side = await start({ limits: { held_bytes_per_credential: 2 * MIB } });
    const peers = await beginPackets(side, 6, 4_092);
    await eventually(() => expect(held(side)).toBe(6 * (64 << 10)));
    expect(stateOf(side, "held_bytes_per_credential")?.bites).toBe(0);
    await expectOthersAreServed(side);
    for (const { ws } of peers) ws.terminate();
  });

  it("ends its session when nothing came for five minutes, be it as little as a length or the head of a frame, also where no ping would", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    const [packet, message] = [await letIn(side, "machine-1"), await letIn(side, "machine-2")];
    const timers = clock.timers;
    packet.peer.ws.send(Buffer.alloc(3));
    rawSocket(message.peer.ws).write(Buffer.of(0x82));
    await eventually(() => expect(clock.timers).toBe(timers + 2));
    clock.advance(299_999);
    await expectOthersAreServed(side);
    expect(ended([packet.peer, message.peer])).toBe(0);
    clock.advance(1);
    await expectLate(side, [packet.peer, message.peer]);
  });

  it("may take as long as it needs while it goes on, in a packet or in a message, and not by a trickle", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    const [packet, message] = [await letIn(side, "machine-1"), await letIn(side, "machine-2")];
    beginPacket(packet.peer, MIB);
    message.peer.ws.send(Buffer.alloc(MIB), { fin: false });
    await eventually(() => expect(held(side)).toBeGreaterThanOrEqual(2 * MIB));
    for (let n = 1; n <= 4; n += 1) {
      clock.advance(300_000);
      packet.peer.ws.send(Buffer.alloc(MIB));
      message.peer.ws.send(Buffer.alloc(MIB), { fin: false });
      await eventually(() => expect(held(side)).toBeGreaterThanOrEqual(2 * (n + 1) * MIB));
    }
    clock.advance(300_000);
    const before = held(side);
    packet.peer.ws.send(Buffer.alloc(1_000));
    message.peer.ws.send(Buffer.alloc(1_000), { fin: false });
    await expectOthersAreServed(side);
    expect(ended([packet.peer, message.peer])).toBe(0);
    expect(held(side)).toBeGreaterThanOrEqual(before);
    clock.advance(300_000);
    await expectLate(side, [packet.peer, message.peer]);
  });
});

/** They were told that it took too long, which is in the log, and nothing is held for them any more. */
async function expectLate(side: AgentSide, peers: readonly RawPeer[]): Promise<void> {
  const goodbyes = await Promise.all(peers.map(({ ended }) => ended.promise));
  expect(goodbyes).toEqual(peers.map(() => "what was begun was not completed in time"));
  await eventually(() => expect(held(side)).toBe(0));
  const told = side.log.filter((line) => line.includes("was not completed in time"));
  expect(told).toHaveLength(peers.length);
}

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
