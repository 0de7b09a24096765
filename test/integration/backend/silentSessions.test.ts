import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { encodeMessage } from "@rport/protocol/wire/connection/messages";
import { describe, expect, it } from "vitest";
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

const PIECE = Buffer.alloc(64 << 10, 1);
const MEGABYTE = 1 << 20;

const stateOf = ({ limits }: AgentSide, name: LimitName) =>
  limits.states().find((state) => state.name === name);

/** Somebody who has signed in and sends what the test says. */
async function signedIn(side: AgentSide): Promise<RawPeer> {
  const peer = new RawPeer({ url: side.url, stage: "login", headers: AGENT_HEADERS });
  await peer.reached.promise;
  return peer;
}

/** The same, once the server has let its client in. */
async function letIn(side: AgentSide, introduction: object): Promise<RawPeer> {
  const peer = await signedIn(side);
  peer.send(request(REQUESTS.newConnection, { ...PLAIN_INTRODUCTION, ...introduction }));
  await eventually(() => expect(peer.received.map(({ kind }) => kind)).toContain("globalSuccess"));
  return peer;
}

function request(name: string, payload: object | Buffer): Buffer {
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
  return encodeMessage({ kind: "globalRequest", name, wantReply: true, payload: bytes });
}

/** Sends so many bytes of one WebSocket message that does not end. */
function beginMessage({ ws }: RawPeer, bytes: number): void {
  for (let sent = 0; sent < bytes; sent += PIECE.length) ws.send(PIECE, { fin: false });
}

describe("whoever signed in and is not in yet", () => {
  it("C-16: is ended with the first bytes beyond 64 KiB of one WebSocket message", async () => {
    await using side = await startAgentSide();
    const thieves = await Promise.all(Array.from({ length: 10 }, () => signedIn(side)));
    for (const thief of thieves) beginMessage(thief, 15 * MEGABYTE);
    await Promise.all(thieves.map(({ ended }) => ended.promise));
    await eventually(() => expect(stateOf(side, "first_message_bytes")?.bites).toBe(10));
    expect(side.log.some((line) => line.includes("first_message_bytes"))).toBe(true);
    await using agent = await PeerAgent.join({ url: side.url, user: "fleet", password: SECRET });
    expect((await agent.ask(REQUESTS.ping)).ok).toBe(true);
  });

  it("is ended at one packet of more, and told why", async () => {
    await using side = await startAgentSide();
    const thief = await signedIn(side);
    thief.send(request(REQUESTS.newConnection, Buffer.alloc(70_000, "x")));
    expect(await thief.ended.promise).toMatch(/packet of \d+ bytes, where 66560 are allowed/);
    await eventually(() => expect(stateOf(side, "first_message_bytes")?.bites).toBe(1));
  });

  it("is not read any more once requests of one message's size wait for an answer", async () => {
    const joining = Promise.withResolvers<undefined>();
    await using side = await startAgentSide({ join: () => joining.promise });
    const peer = await signedIn(side);
    peer.send(request(REQUESTS.newConnection, PLAIN_INTRODUCTION));
    for (let n = 0; n < 400; n += 1) peer.send(request("cmd_result", Buffer.alloc(60_000)));
    await eventually(() => expect(stateOf(side, "held_bytes")?.used).toBeGreaterThan(64 << 10));
    await expect.poll(() => peer.ws.bufferedAmount).toBeGreaterThan(MEGABYTE);
    expect(stateOf(side, "held_bytes")?.used).toBeLessThan(320 << 10);
    joining.resolve(undefined);
    await eventually(() => expect(peer.ws.bufferedAmount).toBe(0));
    peer.ws.terminate();
    await eventually(() => expect(stateOf(side, "held_bytes")?.used).toBe(0));
  });

  it("and says nothing stays for 11 seconds, two of a secret for 30, and is counted", async () => {
    const clock = new FakeClock();
    await using side = await startAgentSide({ clock });
    const login = { url: side.url, user: "fleet", password: SECRET };
    const silent = await Promise.all(Array.from({ length: 20 }, () => PeerAgent.signIn(login)));
    await eventually(() => expect(stateOf(side, "silent_sessions")?.used).toBe(20));
    const ended: string[] = [];
    for (const { closed } of silent) void closed.then(({ text }) => ended.push(text));
    clock.advance(11_000);
    await eventually(() => expect(ended).toHaveLength(18));
    expect(new Set(ended)).toEqual(new Set(["the agent did not introduce itself in time"]));
    expect(stateOf(side, "silent_sessions_per_secret")?.bites).toBe(18);
    await using agent = await PeerAgent.join(login);
    expect(stateOf(side, "silent_sessions")?.used).toBe(2);
    clock.advance(19_000);
    await eventually(() => expect(ended).toHaveLength(20));
    expect((await agent.ask(REQUESTS.ping)).ok).toBe(true);
  });

  it("makes room for the next one when all places are taken", async () => {
    const clock = new FakeClock();
    await using side = await startAgentSide({ clock, limits: { silent_sessions: 16 } });
    const login = { url: side.url, user: "fleet", password: SECRET };
    const silent = await Promise.all(Array.from({ length: 16 }, () => PeerAgent.signIn(login)));
    await eventually(() => expect(stateOf(side, "silent_sessions")?.used).toBe(16));
    clock.advance(1_000);
    await using _agent = await PeerAgent.join(login);
    const { text } = await Promise.race(silent.map(({ closed }) => closed));
    expect(text).toMatch(/others need the place/);
    expect(stateOf(side, "silent_sessions")?.used).toBe(15);
    for (const agent of silent) agent.close();
  });
});

describe("a client that is in", () => {
  const ours = { Features: [FEATURES.halfClose] };
  const start = (options: AgentSideOptions = {}) => startAgentSide(options);

  it("may send results of megabytes in one message when it is RPort's own", async () => {
    await using side = await start();
    const peer = await letIn(side, {});
    peer.send(request("cmd_result", Buffer.alloc(15 * MEGABYTE)));
    await eventually(() => expect(answersOf(peer)).toBe(2));
    peer.ws.terminate();
  });

  it("is ended at 256 KiB when it is ours, which never sends more", async () => {
    await using side = await start();
    const peer = await letIn(side, ours);
    peer.send(request("cmd_result", Buffer.alloc(250_000)));
    await eventually(() => expect(answersOf(peer)).toBe(2));
    peer.send(request("cmd_result", Buffer.alloc(270_000)));
    expect(await peer.ended.promise).toMatch(/where 263168 are allowed/);
    await eventually(() => expect(stateOf(side, "message_bytes")?.bites).toBe(1));
  });

  it("is ended when all hold more than they may together, and it holds most", async () => {
    await using side = await start({ limits: { held_bytes: 16 * MEGABYTE } });
    const [small, large] = [await letIn(side, {}), await letIn(side, { ID: "machine-2" })];
    beginMessage(small, 5 * MEGABYTE);
    await eventually(() =>
      expect(stateOf(side, "held_bytes")?.used).toBeGreaterThan(4.9 * MEGABYTE),
    );
    beginMessage(large, 13 * MEGABYTE);
    await large.ended.promise;
    await eventually(() => expect(stateOf(side, "held_bytes")?.bites).toBe(1));
    const used = stateOf(side, "held_bytes")?.used ?? 0;
    expect(used).toBeLessThan(6 * MEGABYTE);
    small.ws.send(Buffer.alloc(0), { fin: true });
    await small.ended.promise;
    await eventually(() => expect(stateOf(side, "held_bytes")?.used).toBe(0));
  });
});

function answersOf({ received }: RawPeer): number {
  return received.filter(({ kind }) => kind === "globalSuccess").length;
}
