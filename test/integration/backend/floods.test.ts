import { setImmediate as nextTurn } from "node:timers/promises";
import { WireError } from "@rport/protocol/wire/wireError";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../backend/src/platform/clock.ts";
import { startAgent, startEnrolledAgent, type TestAgent } from "../../support/agents/agent.ts";
import { SECRET, startAgentSide } from "../../support/agents/agentSide.ts";
import { PeerAgent, type PeerAgentOptions } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { head, type RawAnswer, rawHttp, upgradeHead } from "../../support/faults/rawHttp.ts";
import { SilentPeers } from "../../support/faults/silentPeers.ts";

/** In the form of a generated secret: a typed one would cost a slow derivation. */
const WRONG = "w".repeat(43);

const wsOf = ({ url }: Pick<RunningBackend, "url">) => url.replace("http", "ws");
const fleetOf = (backend: RunningBackend) => makeFleet({ call: backend.api });

/** How an upgrade of an agent is answered. */
function knock(backend: RunningBackend, more: readonly string[] = []): Promise<RawAnswer> {
  const host = `Host: 127.0.0.1:${backend.port}`;
  const subprotocol = "Sec-WebSocket-Protocol: rport-v1";
  return rawHttp(backend.port, upgradeHead("/", [host, subprotocol, ...more]));
}

/** Why a sign-in did not work; "in" when it did. */
async function outcomeOf(options: PeerAgentOptions): Promise<string> {
  try {
    await using _agent = await PeerAgent.signIn(options);
    return "in";
  } catch (caught) {
    return caught instanceof WireError ? caught.kind : String(caught);
  }
}

/** Tries to sign in again and again until told to stop; answers what came of it. */
async function hammer(options: PeerAgentOptions, isOver: () => boolean): Promise<string[]> {
  const outcomes: string[] = [];
  while (!isOver()) {
    outcomes.push(await outcomeOf(options));
    await nextTurn();
  }
  return outcomes;
}

/** Timers run as usual, but the time that penalties decay by passes only when it is skipped. */
function standingClock() {
  let nowMs = systemClock.monotonic();
  const monotonic = () => nowMs;
  const skip = (ms: number) => {
    nowMs += ms;
  };
  return { clock: { ...systemClock, monotonic }, skip };
}

describe("C-32: silent sockets", () => {
  it.each([
    ["200 from the same address", 200],
    ["more than the address may have", 300],
  ])("%s do not keep a new agent out", async (_what, count) => {
    await using backend = await startBackend();
    const password = await fleetOf(backend);
    using silent = new SilentPeers(wsOf(backend));
    await silent.add(count);
    expect(silent.open).toBeGreaterThanOrEqual(200);
    const startMs = performance.now();
    await using agent = await startAgent(agentOf(backend, password, "honest"));
    await agent.online();
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  it("at all places there are lose one to a newcomer, and are not what it waits for", async () => {
    const clock = new FakeClock();
    await using side = await startAgentSide({ clock, limits: { pending_sockets: 20 } });
    using silent = new SilentPeers(side.url);
    await silent.add(15, "127.0.0.2");
    await silent.add(5, "127.0.0.3");
    const login = { url: side.url, user: "fleet", password: SECRET };
    expect(await outcomeOf(login)).toBe("lost");
    clock.advance(1_000);
    await using _agent = await PeerAgent.join(login);
    expect(silent.open).toBe(19);
  });

  it("cost their network a point each when their time is over", async () => {
    const transportLimits = { handshakeMs: 100 };
    const { clock } = standingClock();
    await using backend = await startBackend({ clock, transportLimits });
    using silent = new SilentPeers(wsOf(backend));
    await silent.add(20);
    const answer = await eventually(async () => {
      const knocked = await knock(backend);
      expect(knocked.status).toBe(429);
      return knocked;
    });
    expect(answer.text).toMatch(/\r\nRetry-After: [1-5]\r\n/);
  });
});

describe("wrong secrets", () => {
  it("C-33: of one address do not delay 50 hosts with that auth id at another one", async () => {
    await using backend = await startBackend({ clock: standingClock().clock });
    const password = await fleetOf(backend);
    const login = { url: wsOf(backend), user: FLEET };
    let isOver = false;
    const guessing = hammer({ ...login, password: WRONG, from: "127.0.0.2" }, () => isOver);
    const delaysMs: number[] = [];
    try {
      for (let n = 0; n < 50; n += 1) {
        const startMs = performance.now();
        await using _agent = await PeerAgent.join({
          ...login,
          password,
          from: "127.0.0.3",
          introduction: { ID: `host-${n}` },
        });
        delaysMs.push(performance.now() - startMs);
      }
    } finally {
      isOver = true;
    }
    const outcomes = await guessing;
    expect(outcomes.slice(0, 5)).toEqual([...Array(4).fill("login"), "remote"]);
    expect(delaysMs).toHaveLength(50);
    expect(Math.max(...delaysMs)).toBeLessThan(2_000);
    const listed = await backend.api("listRefusals");
    const penalty = listed.find(({ reason }) => reason === "penalty");
    expect(penalty).toMatchObject({ address: "127.0.0.2", auth_id: "flee…" });
    expect(listed.every(({ address }) => address === "127.0.0.2")).toBe(true);
  });

  it("are answered without a verdict after a few, before any check, until the points are gone", async () => {
    const { clock, skip } = standingClock();
    await using backend = await startBackend({ clock });
    const password = await fleetOf(backend);
    const login = { url: wsOf(backend), user: FLEET, password: WRONG };
    for (let n = 0; n < 4; n += 1) expect(await outcomeOf(login)).toBe("login");
    const { failedLogins } = backend.backend.agentDoor.counters;
    expect(await outcomeOf({ ...login, password })).toBe("remote");
    expect(backend.backend.agentDoor.counters.failedLogins).toBe(failedLogins);
    const query = {
      sort: "-seq",
      "filter[application]": "client.auth",
      "filter[action]": "failed",
    };
    await eventually(async () => {
      const [newest] = await backend.api("listAudit", { query });
      expect(newest).toMatchObject({ request: '{"reason":"penalty"}', affected_id: "" });
    });
    skip(600_000);
    expect(await outcomeOf({ ...login, password })).toBe("in");
  });

  it("of many auth ids make their network wait before the upgrade, and no other one", async () => {
    const { clock, skip } = standingClock();
    await using backend = await startBackend({ clock });
    const password = await fleetOf(backend);
    const login = { url: wsOf(backend), password: WRONG };
    for (const user of ["one", "two", "three", "four"]) await outcomeOf({ ...login, user });
    const { status, text } = await knock(backend);
    expect(status).toBe(429);
    expect(text).toMatch(/\r\nRetry-After: [1-5]\r\n/);
    const right = { url: wsOf(backend), user: FLEET, password };
    expect(await outcomeOf(right)).toBe("lost");
    expect(await outcomeOf({ ...right, from: "127.0.0.2" })).toBe("in");
    const listed = await backend.api("listRefusals");
    expect(listed.map(({ reason, auth_id }) => [reason, auth_id])).toContainEqual([
      "penalty",
      null,
    ]);
    skip(600_000);
    expect(await outcomeOf(right)).toBe("in");
  });

  it("of a neighbour are tolerated tenfold where agents are", async () => {
    await using backend = await startBackend();
    const password = await fleetOf(backend);
    await using agent = await startAgent(agentOf(backend, password, "resident"));
    await agent.online();
    const login = { url: wsOf(backend), password: WRONG };
    for (let n = 0; n < 20; n += 1) {
      expect(await outcomeOf({ ...login, user: `guess-${n}` })).toBe("login");
    }
    expect((await knock(backend)).status).toBe(101);
  });

  it.each([
    ["a generated secret", undefined],
    ["a typed secret that was right there before", "correct horse battery staple"],
  ])("C-33: of a neighbour who does not stop keep nobody out with %s", async (_what, typed) => {
    const { clock, skip } = standingClock();
    await using backend = await startBackend({ clock });
    const body = { id: FLEET, password: typed };
    const made = typed === undefined ? { id: FLEET } : body;
    const { password } = await backend.api("createCredential", { body: made });
    const login = { url: wsOf(backend), user: FLEET };
    await using _resident = await PeerAgent.join({ ...login, password });
    const guess = () => outcomeOf({ ...login, password: WRONG });
    while ((await guess()) === "login") skip(1);
    expect(await guess()).toBe("remote");
    expect(await outcomeOf({ ...login, password })).toBe("in");
    expect(await outcomeOf({ ...login, password: "another typed secret" })).toBe("remote");
    expect(await outcomeOf({ ...login, password, from: "127.0.0.2" })).toBe("in");
  });

  it("S-20: for a deleted auth id end as those for one that never was, where no agents are", async () => {
    await using backend = await startBackend({ clock: standingClock().clock });
    await fleetOf(backend);
    const params = { authId: FLEET };
    await backend.api("deleteCredential", { params, query: { force: "true" } });
    const outcomes = async (user: string, from: string) => {
      const login = { url: wsOf(backend), user, password: WRONG, from };
      const found: string[] = [];
      for (let n = 0; n < 7; n += 1) found.push(await outcomeOf(login));
      return found;
    };
    const unknown = await outcomes("never-there", "127.0.0.4");
    expect(await outcomes(FLEET, "127.0.0.5")).toEqual(unknown);
    expect(unknown).toEqual([...Array(4).fill("login"), ...Array(3).fill("remote")]);
  });

  it("C-35: cost nothing to a local proxy that the server was not told of", async () => {
    await using backend = await startBackend();
    const password = await fleetOf(backend);
    const headers = { "X-Forwarded-For": "203.0.113.9" };
    const login = { url: wsOf(backend), user: FLEET, headers };
    for (let n = 0; n < 20; n += 1) {
      expect(await outcomeOf({ ...login, password: WRONG })).toBe("login");
    }
    expect(await outcomeOf({ ...login, password })).toBe("in");
  });

  it("C-35: are the caller's behind a configured proxy, whatever it forges", async () => {
    const { clock } = standingClock();
    await using backend = await startBackend({ clock, trustedProxies: ["127.0.0.1"] });
    const password = await fleetOf(backend);
    const attempt = (n: number, caller: string, secret: string) => {
      const headers = { "X-Forwarded-For": `198.51.100.${n}, ${caller}` };
      return outcomeOf({ url: wsOf(backend), user: FLEET, password: secret, headers });
    };
    for (let n = 0; n < 4; n += 1) await attempt(n, "203.0.113.9", WRONG);
    expect(await attempt(99, "203.0.113.9", password)).toBe("remote");
    expect(await attempt(0, "203.0.113.10", password)).toBe("in");
  });

  it("and garbage cost more: a network that sends it twice has to wait", async () => {
    await using backend = await startBackend({ clock: standingClock().clock });
    for (let n = 0; n < 2; n += 1) {
      const peer = new SilentPeers(wsOf(backend));
      await peer.add(1);
      peer.say("GET / HTTP/1.1\r\n\r\n");
      await eventually(() => expect(peer.open).toBe(0));
    }
    expect((await knock(backend)).status).toBe(429);
  });
});

describe("C-34: a deleted credential", () => {
  it("of ten hosts does not keep their ten neighbours from coming back after a restart", async () => {
    await using backend = await startBackend();
    const password = await fleetOf(backend);
    const other = await backend.api("createCredential", { body: { id: "neighbours" } });
    const url = wsOf(backend);
    const gone = { url, user: FLEET, password };
    const leavers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        PeerAgent.join({ ...gone, introduction: { ID: `leaver-${n}` } }),
      ),
    );
    const online = async (starting: readonly Promise<TestAgent>[]): Promise<TestAgent[]> => {
      const agents = await Promise.all(starting);
      await Promise.all(agents.map((agent) => agent.online()));
      return agents;
    };
    const neighbours = await online(
      Array.from({ length: 10 }, (_, n) => {
        const { client, ...settings } = agentOf(backend, "", `neighbour-${n}`);
        const auth = `neighbours:${other.password}`;
        return startAgent({ ...settings, client: { ...client, auth } });
      }),
    );
    for (const { agent } of neighbours) await agent.stop();
    const params = { authId: FLEET };
    await backend.api("deleteCredential", { params, query: { force: "true" } });
    await Promise.all(leavers.map(({ closed }) => closed));

    let isOver = false;
    const stragglers = leavers.map(() => hammer(gone, () => isOver));
    await eventually(async () => {
      const [refusal] = await backend.api("listRefusals");
      expect(refusal?.count).toBeGreaterThan(40);
    });
    const agents = await online(neighbours.map(({ configFile: file }) => startEnrolledAgent(file)));
    isOver = true;
    expect(new Set((await Promise.all(stragglers)).flat())).toEqual(new Set(["login"]));
    for (const agent of [...agents, ...neighbours]) await agent[Symbol.asyncDispose]();
    const reasons = (await backend.api("listRefusals")).map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(["revoked-credential"]));
    const query = { "filter[application]": "client.auth", "filter[action]": "failed" };
    expect(await backend.api("listAudit", { query })).toHaveLength(1);
    const lines = backend.logLines.filter((line) => line.includes("agent login refused"));
    expect(lines).toHaveLength(1);
  });
});

it("C-14, C-38: more than 64 KiB before the login end the connection, whatever the origin says", async () => {
  await using backend = await startBackend();
  expect((await knock(backend, ["Origin: http://evil.example"])).status).toBe(403);
  using peer = new SilentPeers(wsOf(backend));
  await peer.add(1);
  peer.say("x".repeat((64 << 10) + 1));
  await eventually(() => expect(peer.open).toBe(0));
  const status = head("GET /api/v1/status", [`Host: 127.0.0.1:${backend.port}`]);
  expect((await rawHttp(backend.port, status)).status).toBe(401);
});
