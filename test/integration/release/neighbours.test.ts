import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/freePort.ts";
import { type ReplayedSession, replayBackend } from "../../support/release/recordedBackend.ts";
import {
  bytesOf,
  lackingIn,
  payloadOf,
  type RecordedRequest,
  type RecordedSession,
  requestsOf,
  wireRecording,
} from "../../support/release/wireRecording.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

/** The first state of agent and backend that had everything of a host's life. */
const RELEASE = "wire-0.1";
const params = { clientId: "host-1" };
const credential = { authId: "fleet" };

/** The recording, with an echo server and ports of this machine in it. */
async function openRecording() {
  const echo = await tcpServer((socket) => socket.pipe(socket));
  const ports = { echo: echo.port, closed: await freePort(), asked: await freePort() };
  const recording = await wireRecording(RELEASE, ports);
  const [first, second] = recording.sessions;
  if (first === undefined || second === undefined) throw new Error("two sessions were recorded");
  return {
    recording,
    first,
    second,
    ports,
    [Symbol.asyncDispose]: () => echo[Symbol.asyncDispose](),
  };
}

/** Sends a word, ends that direction, and reads what comes back: half-close. */
async function echoed(stream: Duplex): Promise<string> {
  stream.end("hello");
  return await text(stream);
}

const throughPort = (port: number) =>
  echoed(connect({ host: "127.0.0.1", port, allowHalfOpen: true }));

const named = (requests: readonly RecordedRequest[], name: string): RecordedRequest => {
  const found = requests.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name} was recorded`);
  return found;
};

/** What an agent of the release answers; a secret's id is the one that was sent. */
function answerOf(recorded: RecordedSession, name: string, payload: Buffer): Buffer | undefined {
  const requests = requestsOf(recorded, "backend").filter((one) => one.name === name);
  if (name === "rotate_secret" && requests.length > 0) {
    return Buffer.from(JSON.stringify({ secret_id: JSON.parse(payload.toString()).secret_id }));
  }
  const same = requests.find((one) => sameTarget(one.payload, payloadOf(payload)));
  return same === undefined ? undefined : bytesOf(same.reply.payload);
}

/** Whether two requests are about one target. */
function sameTarget(one: RecordedRequest["payload"], other: RecordedRequest["payload"]): boolean {
  const targetOf = (payload: RecordedRequest["payload"]) => {
    const fields = new Map(Object.entries(Object(payload)));
    return fields.get("Remote") ?? fields.get("HostPort");
  };
  return targetOf(one) === targetOf(other);
}

/** An agent of the release: its own words, and today's connection below them. */
function oldAgent(url: string, recorded: RecordedSession, password: string) {
  return PeerAgent.signIn({
    url: url.replace(/^http/, "ws"),
    user: recorded.login.user,
    password,
    onRequest: (name, payload) => answerOf(recorded, name, payload),
  });
}

/** Introduces it with the words of the release, changed as a test wants; answers the reply. */
async function introduce(agent: PeerAgent, recorded: RecordedSession, more: object = {}) {
  const { payload } = named(requestsOf(recorded, "agent"), "new_connection");
  const reply = await agent.ask("new_connection", { ...Object(payload), ...more });
  if (!reply.ok) throw new Error(reply.text);
  agent.connection.halfClose = true;
  return payloadOf(Buffer.from(reply.text));
}

async function startToday() {
  const backend = await startBackend({
    tunnels: { bind: "127.0.0.1", ports: [{ from: 1_024, to: 65_535 }] },
  });
  const { password } = await backend.api("createCredential", { body: { id: "fleet" } });
  return { backend, password, [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose]() };
}

describe("K-10: an agent of the release before, at today's backend", () => {
  it("is let in, and told what it was told then", async () => {
    await using opened = await openRecording();
    await using today = await startToday();
    const { first, ports } = opened;
    await using agent = await oldAgent(today.backend.url, first, today.password);
    const tunnels = await introduce(agent, first);
    const recorded = named(requestsOf(first, "agent"), "new_connection");
    expect(lackingIn(tunnels, recorded.reply.payload)).toEqual([]);
    expect(await throughPort(ports.asked)).toBe("hello");
    const told = await eventually(() => {
      const [capabilities] = agent.heardOf("put_capabilities");
      if (capabilities === undefined) throw new Error("no features yet");
      return payloadOf(Buffer.from(capabilities));
    });
    const notice = first.messages.find((one) => one.kind === "notice");
    expect(lackingIn(told, notice?.payload ?? "")).toEqual([]);
    expect(told).toMatchObject({
      Features: expect.arrayContaining(["rotate-secret", "half-close"]),
    });
    expect(await agent.ask("ping")).toEqual({ ok: true, text: "" });
    const client = await today.backend.api("getClient", { params });
    expect(client).toMatchObject({ name: "web-01", version: "0.1.0", tags: ["web"] });
  });

  it("is asked in the words it knows about tunnels, and its answers are understood", async () => {
    await using opened = await openRecording();
    await using today = await startToday();
    const { first, ports } = opened;
    await using agent = await oldAgent(today.backend.url, first, today.password);
    await introduce(agent, first, { Remotes: [] });
    const tunnelTo = (remote: string) =>
      today.backend.api("createTunnel", { params, query: { remote, check_port: "1" } });
    const { lport } = await tunnelTo(`127.0.0.1:${ports.echo}`);
    expect(await throughPort(Number(lport))).toBe("hello");
    await expect(tunnelTo(`127.0.0.1:${ports.closed}`)).rejects.toThrow(/Nothing answers/);
    await expect(tunnelTo("192.0.2.1:22")).rejects.toThrow(/not allow/i);
    for (const request of requestsOf(first, "backend")) {
      if (request.name === "rotate_secret") continue;
      const heard = agent.heardOf(request.name).map((one) => payloadOf(Buffer.from(one)));
      const same = heard.filter((one) => sameTarget(one, request.payload));
      expect(same.length, request.name).toBeGreaterThan(0);
      expect(same.flatMap((one) => lackingIn(one, request.payload))).toEqual([]);
    }
  });

  it("gets a new secret, and comes back with it", async () => {
    await using opened = await openRecording();
    await using today = await startToday();
    const { first, second } = opened;
    const agent = await oldAgent(today.backend.url, first, today.password);
    await introduce(agent, first);
    const body = { grace_seconds: null };
    await today.backend.api("rotateCredential", { params: credential, body });
    const offer = await eventually(() => {
      const [text] = agent.heardOf("rotate_secret");
      if (text === undefined) throw new Error("no secret yet");
      return JSON.parse(text);
    });
    const recorded = named(requestsOf(first, "backend"), "rotate_secret");
    expect(lackingIn(offer, recorded.payload)).toEqual([]);
    expect(offer.auth_id).toBe("fleet");
    agent.close();
    await agent.closed;
    await using again = await oldAgent(today.backend.url, second, offer.secret);
    const tunnels = await introduce(again, second);
    const then = named(requestsOf(second, "agent"), "new_connection");
    expect(lackingIn(tunnels, then.reply.payload)).toEqual([]);
  });

  it("is never asked anything that it does not know", async () => {
    await using opened = await openRecording();
    await using today = await startToday();
    const { first, second } = opened;
    await using agent = await oldAgent(today.backend.url, first, today.password);
    await introduce(agent, first);
    const remote = `127.0.0.1:${opened.ports.closed}`;
    const checked = today.backend.api("createTunnel", { params, query: { remote } });
    await checked.catch(() => {});
    await today.backend.api("rotateCredential", {
      params: credential,
      body: { grace_seconds: null },
    });
    await eventually(() => expect(agent.heardOf("rotate_secret")).toHaveLength(1));
    const all = [...first.messages, ...second.messages];
    const known = new Set(all.map((one) => (one.kind === "open" ? "" : one.name)));
    expect(agent.heard.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
  });

  it("is asked whether it lives also when its version is one of RPort's clients that may not be", async () => {
    await using opened = await openRecording();
    await using today = await startToday();
    const { first } = opened;
    const host = { Version: "0.9.0", Remotes: [] };
    await using agent = await oldAgent(today.backend.url, first, today.password);
    await introduce(agent, first, host);
    await using rival = await oldAgent(today.backend.url, first, today.password);
    const asRival = introduce(rival, first, { ...host, SessionID: "another process" });
    await expect(asRival).rejects.toThrow("client is already connected");
    expect(agent.heardOf("ping")).toHaveLength(1);
  });

  it("of a later version may say and ask more: fields are ignored, requests refused by name", async () => {
    await using opened = await openRecording();
    await using today = await startToday();
    const { first } = opened;
    await using agent = await oldAgent(today.backend.url, first, today.password);
    const payload = Object(named(requestsOf(first, "agent"), "new_connection").payload);
    const [tunnel] = payload.Remotes;
    const tunnels = await introduce(agent, first, {
      Version: "99.1.0-rc.1",
      Features: ["rotate-secret", "half-close", "of-the-future"],
      OfTheFuture: { deep: [{ list: [1] }], text: "x" },
      Remotes: [
        { ...tunnel, not_set_in_future: false },
        { ...tunnel, lport: "1500", only_in_future: "10.0.0.0/8" },
      ],
    });
    // What is asked of a tunnel, and not known here, may be what protects it: the host is in without that one.
    expect(tunnels).toMatchObject([{ lport: tunnel.lport }]);
    const { left_out } = await today.backend.api("getClient", { params });
    expect(left_out).toMatchObject([{ reason: expect.stringContaining("only_in_future") }]);
    expect(await agent.ask("of_the_future", { a: 1 })).toEqual({
      ok: false,
      text: "unknown request",
    });
    agent.connection.notify("told_in_future", Buffer.from("{}"));
    expect(await agent.ask("ping")).toEqual({ ok: true, text: "" });
    const { connection_state } = await today.backend.api("getClient", { params });
    expect(connection_state).toBe("connected");
  });
});

/** Today's agent at the backend of the release, which says what it said then. */
async function startAtRecorded(opened: Awaited<ReturnType<typeof openRecording>>) {
  const { recording, first, ports } = opened;
  const stack = new AsyncDisposableStack();
  const server = stack.use(await replayBackend(recording));
  const { user, password } = first.login;
  const client = {
    id: "host-1",
    auth: `${user}:${password}`,
    remotes: [`${ports.asked}:127.0.0.1:${ports.echo}`],
    tunnel_allowed: ["127.0.0.1"],
    tags: ["web"],
  };
  const connection = { keep_alive: "1s" };
  const agent = stack.use(await startAgent({ server: server.url, client, connection }));
  return { server, agent, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Goes through a recorded session; answers what the agent's words lack of those of then. */
async function replay(session: ReplayedSession): Promise<string[]> {
  const lacking: string[] = [];
  for (const message of session.recorded.messages) {
    if (message.kind === "notice") session.tell(message);
    else if (message.kind === "open") {
      expect(await echoed(await session.open(message.type, message.extra))).toBe("hello");
    } else if (message.from === "agent") {
      lacking.push(...lackingIn(await session.asked(message.name), message.payload, message.name));
    } else {
      const reply = await session.ask(message);
      expect({ name: message.name, ok: reply.ok }).toEqual({ name: message.name, ok: true });
      lacking.push(...lackingIn(reply.payload, message.reply.payload, message.name));
      if (message.name !== "check_port") expect(reply.payload).toEqual(message.reply.payload);
    }
  }
  return lacking;
}

describe("K-10: today's agent, at a backend of the release before", () => {
  it("says all that was said then, answers the same, and comes back with its new secret", async () => {
    await using opened = await openRecording();
    await using started = await startAtRecorded(opened);
    const first = await started.server.session(0);
    expect(await replay(first)).toEqual([]);
    expect(started.agent.agent.state.kind).toBe("online");
    first.cut();
    const second = await started.server.session(1);
    expect(await replay(second)).toEqual([]);
    await started.agent.online();
    expect(second.recorded.login.password).not.toBe(first.recorded.login.password);
  });

  it("asks nothing that such a backend does not know", async () => {
    await using opened = await openRecording();
    await using started = await startAtRecorded(opened);
    const session = await started.server.session(0);
    await replay(session);
    const known = new Set(requestsOf(opened.first, "agent").map(({ name }) => name));
    expect(session.heard.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
  });

  it("takes more than it knows from a later one: fields are ignored, requests and channels refused", async () => {
    await using opened = await openRecording();
    await using started = await startAtRecorded(opened);
    const session = await started.server.session(0);
    await session.asked("new_connection");
    session.tell({
      name: "put_capabilities",
      payload: {
        ServerVersion: "99.0.0",
        MonitoringVersion: 0,
        IPAddressesVersion: 0,
        Features: ["rotate-secret", "half-close", "of-the-future"],
        OfTheFuture: { a: [1] },
      },
    });
    const remote = `127.0.0.1:${opened.ports.echo}`;
    const asked = { name: "check_tunnel_allowed", payload: { Remote: remote, OfTheFuture: 1 } };
    expect(await session.ask(asked)).toEqual({ ok: true, payload: { IsAllowed: true } });
    const unknown = await session.ask({ name: "of_the_future", payload: { a: 1 } });
    expect(unknown).toEqual({ ok: false, payload: "unknown request" });
    session.tell({ name: "told_in_future", payload: {} });
    await expect(session.open("of-the-future", remote)).rejects.toThrow();
    const offer = named(requestsOf(opened.first, "backend"), "rotate_secret");
    const more = { ...Object(offer.payload), of_the_future: "x" };
    expect(await session.ask({ name: "rotate_secret", payload: more })).toEqual(offer.reply);
    expect(await session.ask({ name: "ping", payload: "" })).toEqual({ ok: true, payload: "" });
    expect(await echoed(await session.open("rport", remote))).toBe("hello");
    expect(started.agent.agent.state.kind).toBe("online");
  });
});

describe("what is compared with a recording", () => {
  it("lacks what is missing or of another kind, wherever it is, and may have more", () => {
    const wanted = { a: [{ b: 1, c: "x" }], d: { e: true }, f: null };
    expect(
      lackingIn({ a: [{ b: 2, c: "", more: 1 }], d: { e: false }, f: 1, g: 1 }, wanted),
    ).toEqual([]);
    expect(lackingIn({ a: [{ b: "1" }], d: [], f: {} }, wanted)).toEqual([
      ".a[0].b: string instead of number",
      ".a[0].c: missing",
      ".d: array instead of object",
    ]);
    expect(lackingIn("", wanted)).toEqual([": string instead of object"]);
  });
});
