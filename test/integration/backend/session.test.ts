import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { describe, expect, it, vi } from "vitest";
import {
  type AgentSide,
  type AgentSideOptions,
  SECRET,
  startAgentSide,
} from "../../support/agents/agentSide.ts";
import { PeerAgent, type PeerAgentOptions } from "../../support/agents/peerAgent.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";

const ID = clientIdSchema.parse("machine-1");
const FLEET = authIdSchema.parse("fleet");
const NEXT = { secretId: secretIdSchema.parse("secret-2"), secret: "x".repeat(43) };
const OTHER_PROCESS = { SessionID: "5c2a4c1e-0000-4000-8000-000000000002" };

const optionsFor = (side: AgentSide, change: Partial<PeerAgentOptions> = {}): PeerAgentOptions => ({
  url: side.url,
  user: "fleet",
  password: SECRET,
  ...change,
});
const join = (side: AgentSide, change: Partial<PeerAgentOptions> = {}) =>
  PeerAgent.join(optionsFor(side, change));
const start = (options: AgentSideOptions = {}) => startAgentSide(options);
const stateOf = (side: AgentSide) => side.clients.get(ID)?.connection_state;

describe("an agent that introduces itself", () => {
  it("appears with what it said, and with nothing of its configuration", async () => {
    await using side = await start();
    await using _agent = await join(side, { introduction: { Name: "web\u001b[31m01" } });
    const client = side.clients.get(ID);
    expect(client).toMatchObject({
      id: "machine-1",
      name: "web\u{FFFD}[31m01",
      hostname: "web01.example.com",
      mem_total: 4_104_212_480,
      ipv6: [],
      tags: [],
      client_auth_id: "fleet",
      connection_state: "connected",
      disconnected_at: null,
      address: "127.0.0.1",
      features: [],
      secret: { id: "secret-1", state: "active" },
    });
    expect(JSON.stringify(client)).not.toContain("clientAuth1:secret");
    expect(side.registry.counts).toEqual({ connected: 1, disconnected: 0 });
  });

  it("gets an empty list, then the capabilities exactly once, and is announced", async () => {
    await using side = await start();
    await using agent = await PeerAgent.signIn(optionsFor(side));
    expect(await agent.introduce()).toEqual([]);
    await agent.ask(REQUESTS.ping);
    expect(agent.heardOf(REQUESTS.putCapabilities).map((text) => JSON.parse(text))).toEqual([
      {
        ServerVersion: expect.any(String),
        MonitoringVersion: 0,
        IPAddressesVersion: 0,
        Features: Object.values(FEATURES),
      },
    ]);
    expect(side.ready.map((session) => session.clientId)).toEqual([ID]);
  });

  it("shares only the features that both sides list", async () => {
    await using side = await start();
    await using _agent = await join(side, {
      introduction: { Features: ["half-close", "telepathy"] },
    });
    expect(side.clients.get(ID)?.features).toEqual(["half-close"]);
  });

  it("gets a random id when it has none", async () => {
    await using side = await start();
    await using _agent = await join(side, { introduction: { ID: "" } });
    expect([...side.clients.list()].map((client) => client.id)).toEqual([
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ]);
  });

  it("is offline, and still known, when its socket is gone", async () => {
    await using side = await start();
    const agent = await join(side);
    agent.close();
    await eventually(() => expect(stateOf(side)).toBe("disconnected"));
    expect(side.clients.get(ID)?.disconnected_at).not.toBeNull();
    expect(side.registry.countOf(FLEET)).toEqual({
      total: 1,
      connected: 0,
    });
  });
});

describe("an introduction that is refused", () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ["an unreadable version", { Version: "" }, /failed to determine client version/],
    ["a version that is none", { Version: "latest" }, /failed to determine client version/],
    ["a number for a name", { Name: 7 }, /not valid: Name/],
    ["an id with control characters", { ID: "a\u0000b" }, /client id is not valid/],
    ["a description without end", { Labels: labels(200) }, /too large/],
  ])("because of %s is answered, and the connection ends", async (_what, introduction, text) => {
    await using side = await start({ limits: { first_message_bytes: 512 << 10 } });
    await using agent = await PeerAgent.signIn(optionsFor(side, { introduction }));
    await expect(agent.introduce()).rejects.toThrow(text);
    await agent.closed;
    expect([...side.clients.list()]).toEqual([]);
    expect(side.door.counters.afterLogin).toBe(1);
  });

  it("by its credential is answered with the credential's reason", async () => {
    const admit = async () =>
      ({
        kind: "refused",
        why: "bound-to-other-client",
        text: "This secret belongs to another host.",
      }) as const;
    await using side = await start({ admit });
    await using agent = await PeerAgent.signIn(optionsFor(side));
    await expect(agent.introduce()).rejects.toThrow("This secret belongs to another host.");
    await agent.closed;
    expect([...side.clients.list()]).toEqual([]);
  });

  it("frees the client id at once, so that it keeps nobody else out", async () => {
    let refusals = 1;
    const secret = { id: NEXT.secretId, origin: "typed", state: "active" } as const;
    const admit = async () =>
      refusals-- > 0
        ? ({ kind: "refused", why: "wrong-secret", text: "not with this secret" } as const)
        : ({ kind: "admitted", secret } as const);
    await using side = await start({ admit });
    await using intruder = await PeerAgent.signIn(optionsFor(side));
    await expect(intruder.introduce()).rejects.toThrow("not with this secret");
    await using _owner = await join(side, { introduction: OTHER_PROCESS });
    await intruder.closed;
    expect(stateOf(side)).toBe("connected");
  });

  it("for being another request ends the connection", async () => {
    await using side = await start();
    await using agent = await PeerAgent.signIn(optionsFor(side));
    expect(await agent.ask("run_cmd", {})).toMatchObject({ ok: false });
    await agent.closed;
  });

  it("for never coming ends the connection after its time", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    await using agent = await PeerAgent.signIn(optionsFor(side));
    await eventually(() => expect(side.presence.ofCredential(FLEET)).toHaveLength(1));
    clock.advance(30_000);
    expect((await agent.closed).text).toMatch(/did not introduce itself in time/);
    expect(side.presence.ofCredential(FLEET)).toEqual([]);
  });
});

describe("what a registered agent may send", () => {
  it("is ping, answered with nothing and noted", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    await using agent = await join(side);
    clock.advance(180_000);
    expect(await agent.ask(REQUESTS.ping)).toEqual({ ok: true, text: "" });
    const heardAt = side.clients.get(ID)?.last_heartbeat_at;
    expect(heardAt).toBe(new Date(clock.now()).toISOString());
  });

  it("C-05, S-04: is nothing else: unknown requests and channels are refused and counted", async () => {
    await using side = await start();
    await using agent = await join(side);
    expect(await agent.ask("tcpip-forward")).toEqual({ ok: false, text: "unknown request" });
    for (const type of ["session", "direct-tcpip", "rport", "x11", "stdout"]) {
      const opening = agent.connection.open(type, Buffer.from("127.0.0.1:22"));
      await expect(opening).rejects.toThrow("agents do not open channels here");
    }
    expect(side.door.counters.afterLogin).toBe(6);
    expect(side.log.filter((line) => line.includes("agent sent an unknown"))).toHaveLength(1);
    expect(await agent.ask(REQUESTS.ping)).toEqual({ ok: true, text: "" });
  });

  it("is measurements, which are accepted and not kept", async () => {
    await using side = await start();
    await using agent = await join(side);
    agent.connection.notify("save_measurement", Buffer.from("not even JSON"));
    expect(await agent.ask(REQUESTS.ping)).toEqual({ ok: true, text: "" });
    expect(side.door.counters.afterLogin).toBe(0);
  });

  it("is not a second introduction", async () => {
    await using side = await start();
    await using agent = await join(side);
    await expect(agent.introduce()).rejects.toThrow(
      "unexpected connection request. please reconnect",
    );
  });
});

describe("a second connection of the same client id", () => {
  it("S-02: is refused in RPort's words while the first one answers", async () => {
    await using side = await start();
    await using first = await join(side);
    const second = join(side, { introduction: OTHER_PROCESS });
    await expect(second).rejects.toThrow("client is already connected: web01 [machine-1]");
    expect(await first.ask(REQUESTS.ping)).toMatchObject({ ok: true });
    expect(stateOf(side)).toBe("connected");
  });

  it("is refused however many come at once: the first one is asked once for all of them", async () => {
    await using side = await start({ limits: { silent_sessions_per_secret: 200 } });
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Buffer>();
    const onRequest = (name: string) => {
      if (name !== REQUESTS.ping) return undefined;
      asked.resolve();
      return answer.promise;
    };
    await using first = await join(side, { onRequest });
    const claims = vi.spyOn(side.presence, "locate");
    const rivals = Array.from({ length: 80 }, () => join(side, { introduction: OTHER_PROCESS }));
    const refused = Promise.allSettled(rivals);
    await asked.promise;
    await eventually(() => expect(claims.mock.calls.length).toBeGreaterThanOrEqual(80));
    answer.resolve(Buffer.alloc(0));
    const outcomes = (await refused).map((one) => String(Reflect.get(one, "reason")));
    expect(new Set(outcomes.map((text) => /already connected/.test(text)))).toEqual(
      new Set([true]),
    );
    expect(first.heardOf(REQUESTS.ping)).toHaveLength(1);
    expect(stateOf(side)).toBe("connected");
  });

  it("is refused while so many requests wait for the first one that it cannot be asked", async () => {
    await using side = await start();
    const isBusy = Promise.withResolvers<void>();
    const onRequest = () => {
      isBusy.resolve();
      return new Promise<Buffer>(() => {});
    };
    await using _first = await join(side, { onRequest });
    const session = side.presence.locate(ID);
    const asks = Array.from({ length: 65 }, () => session?.ask("check_port", {}));
    const unanswered = Promise.allSettled(asks);
    await isBusy.promise;
    const second = join(side, { introduction: OTHER_PROCESS });
    await expect(second).rejects.toThrow("client is already connected: web01 [machine-1]");
    expect(stateOf(side)).toBe("connected");
    session?.cut("the test is over");
    await unanswered;
  });

  it("takes over when the first one does not answer", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    const silent = (name: string) =>
      name === REQUESTS.ping ? new Promise<Buffer>(() => {}) : undefined;
    await using first = await join(side, { onRequest: silent });
    const joining = join(side, { introduction: OTHER_PROCESS });
    await eventually(() => expect(first.heardOf(REQUESTS.ping)).toHaveLength(1));
    clock.advance(3_000);
    await using _second = await joining;
    await first.closed;
    expect(side.registry.counts).toEqual({ connected: 1, disconnected: 0 });
    expect(side.presence.connected(ID)?.agentSessionId).toBe(OTHER_PROCESS.SessionID);
  });

  it("is refused while anything comes from the first one, whose answer waits behind much else", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    const silent = (name: string) =>
      name === REQUESTS.ping ? new Promise<Buffer>(() => {}) : undefined;
    await using first = await join(side, { onRequest: silent });
    const second = expect(join(side, { introduction: OTHER_PROCESS })).rejects.toThrow(
      "client is already connected",
    );
    await eventually(() => expect(first.heardOf(REQUESTS.ping)).toHaveLength(1));
    await first.ask(REQUESTS.ping);
    clock.advance(3_000);
    await second;
    expect(await first.ask(REQUESTS.ping)).toMatchObject({ ok: true });
    expect(stateOf(side)).toBe("connected");
  });

  it("points a host out that was set up anew while its dead connection still seemed alive", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    const silent = (name: string) =>
      name === REQUESTS.ping ? new Promise<Buffer>(() => {}) : undefined;
    await using dead = await join(side, { onRequest: silent });
    clock.advance(10_000);
    const ANEW = clientIdSchema.parse("machine-2");
    await using _anew = await join(side, { introduction: { ...OTHER_PROCESS, ID: ANEW } });
    expect(side.clients.get(ANEW)?.looks_like).toBeNull();
    const answered = side.presence.connected(ID)?.ping(20_000);
    await eventually(() => expect(dead.heardOf(REQUESTS.ping)).toHaveLength(1));
    clock.advance(20_000);
    expect(await answered).toBe(false);
    await eventually(() => expect(stateOf(side)).toBe("disconnected"));
    expect(side.clients.get(ANEW)?.looks_like).toBe(ID);
    expect(side.clients.get(ID)?.looks_like).toBeNull();
    expect(side.touched.lastIndexOf(`client ${ANEW}`)).toBeGreaterThan(
      side.touched.indexOf(`client ${ID}`),
    );
  });

  it("replaces the first one when it is the same process", async () => {
    await using side = await start();
    await using first = await join(side);
    await using second = await join(side);
    expect((await first.closed).text).toMatch(/replaced/);
    expect(await second.ask(REQUESTS.ping)).toMatchObject({ ok: true });
    expect(side.registry.counts).toEqual({ connected: 1, disconnected: 0 });
    expect(side.presence.ofCredential(FLEET)).toHaveLength(1);
  });

  it("does not count as the same process when neither says what it is", async () => {
    await using side = await start();
    await using _first = await join(side, { introduction: { SessionID: "" } });
    const second = join(side, { introduction: { SessionID: "" } });
    await expect(second).rejects.toThrow("client is already connected");
  });

  it("does not ping a Go version that answers twice, but goes by what was heard", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    await using first = await join(side, { introduction: { Version: "0.9.3" } });
    const rival = { introduction: { ...OTHER_PROCESS, Version: "0.9.3" } };
    await expect(join(side, rival)).rejects.toThrow("client is already connected");
    clock.advance(240_000);
    await using _second = await join(side, rival);
    await first.closed;
    expect(first.heardOf(REQUESTS.ping)).toEqual([]);
  });
});

describe("credentials", () => {
  it("reach every session of theirs, also one that only signed in, and cut them", async () => {
    await using side = await start();
    await using one = await join(side);
    await using two = await PeerAgent.signIn(optionsFor(side));
    await using other = await join(side, { user: "others", introduction: { ID: "machine-2" } });
    await eventually(() => expect(side.presence.ofCredential(FLEET)).toHaveLength(2));
    for (const session of side.presence.ofCredential(FLEET)) session.cut("deleted");
    await Promise.all([one.closed, two.closed]);
    expect(await other.ask(REQUESTS.ping)).toMatchObject({ ok: true });
  });

  it("hand over a new secret and learn whether it was stored", async () => {
    await using side = await start();
    const onRequest = (name: string) =>
      name === REQUESTS.rotateSecret ? Buffer.from('{"secret_id":"secret-2"}') : undefined;
    await using agent = await join(side, { onRequest });
    const [session] = side.presence.ofCredential(FLEET);
    expect(await session?.offerSecret(NEXT)).toBe(true);
    expect(JSON.parse(agent.heardOf(REQUESTS.rotateSecret)[0] ?? "")).toEqual({
      auth_id: "fleet",
      secret_id: "secret-2",
      secret: NEXT.secret,
    });
    session?.adoptSecret(NEXT.secretId);
    expect(side.clients.get(ID)?.secret?.id).toBe("secret-2");
  });

  it("learn that a Go client cannot store one", async () => {
    await using side = await start();
    await using _agent = await join(side);
    const [session] = side.presence.ofCredential(FLEET);
    expect(await session?.offerSecret(NEXT)).toBe(false);
  });
});

/** `count` labels of the longest kind. */
function labels(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`label-${n}`, "x".repeat(1_000)]),
  );
}
