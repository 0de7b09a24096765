import { describe, expect, it } from "vitest";
import type { OfferedSecret } from "../../../../../backend/src/credentials/ports.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { type FakeAgent, fakeAgents } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET = authId("fleet");
const HOUR_MS = 3_600_000;

/** A credential with a shared password, and agents that use it. */
async function fleetOf<const Names extends readonly string[]>(
  fixture: CredentialsFixture,
  names: Names,
) {
  const { password } = await fixture.credentials.create({ id: FLEET, createdBy: "test" });
  return fakeAgents(names, { id: FLEET, password });
}

async function outcome(fixture: CredentialsFixture, password: string): Promise<string> {
  const login = await fixture.credentials.login(FLEET, password, "192.0.2.7");
  return login.kind === "refused" ? login.why : login.kind;
}

/** An agent that has stored the offer but never gets to say so. */
function storesSilently(agent: FakeAgent): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  agent.onOffer = (self, offer) => {
    self.password = offer.secret;
    resolve();
    return new Promise(() => undefined);
  };
  return promise;
}

function refusesOffers(agent: FakeAgent): Promise<OfferedSecret> {
  const { promise, resolve } = Promise.withResolvers<OfferedSecret>();
  agent.onOffer = (_, offer) => {
    resolve(offer);
    return Promise.resolve(false);
  };
  return promise;
}

const storesAndAnswers: FakeAgent["onOffer"] = (agent, offer) => {
  agent.password = offer.secret;
  return Promise.resolve(true);
};

describe("a rotation", () => {
  it("gives every connected client a secret of its own and disconnects nobody", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const agents = await fleetOf(fixture, ["a", "b", "c"]);
    const shared = agents[0].password;
    for (const agent of agents) await clients.connect(credentials, agent);
    const { rotation, unmovable } = await credentials.rotations.start(FLEET, HOUR_MS);
    expect(rotation).toMatchObject({ moved: 0, total: 3 });
    expect(unmovable).toEqual([]);
    await eventually(() => expect(credentials.get(FLEET)?.rotation?.moved).toBe(3));
    expect(new Set(agents.map((agent) => agent.password)).size).toBe(3);
    for (const agent of agents) expect(await outcome(fixture, agent.password)).toBe("accepted");
    expect(clients.sessions.size).toBe(3);
    expect([...clients.sessions].every((session) => session.cutReason === undefined)).toBe(true);
    expect(await outcome(fixture, shared)).toBe("accepted");
    fixture.clock.advance(HOUR_MS);
    expect(await outcome(fixture, shared)).not.toBe("accepted");
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
    expect(credentials.get(FLEET)).toMatchObject({ secrets_active: 3, secrets_grace: 0 });
    expect(clients.sessions.size).toBe(3);
  });

  it("is told alike before and after the clock is set: an editor hears of it once", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    await fleetOf(fixture, ["a"]);
    await credentials.rotations.start(FLEET, 0);
    const told = credentials.get(FLEET)?.rotated_at;
    expect(told).not.toBeNull();
    for (const stepMs of [-36 * HOUR_MS, 72 * HOUR_MS]) {
      clock.jump(stepMs);
      expect(credentials.get(FLEET)?.rotated_at).toBe(told);
    }
  });

  it.each([
    ["before it, forward", 36 * HOUR_MS, 0],
    ["before it, back", -36 * HOUR_MS, 0],
    ["after it, forward", 0, 36 * HOUR_MS],
    ["after it, back", 0, -36 * HOUR_MS],
  ])("is never shown to end before it began: the clock is set %s", async (_when, before, after) => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const [agent] = await fleetOf(fixture, ["a"]);
    agent.isShiftable = false;
    await clients.connect(credentials, agent);
    clock.jump(before);
    await credentials.rotations.start(FLEET, HOUR_MS);
    clock.jump(after);
    const { rotation } = await credentials.rotations.show(FLEET);
    expect(rotation?.grace_ends_at).toBe(new Date(clock.now() + HOUR_MS).toISOString());
    expect(Date.parse(rotation?.started_at ?? "")).toBeLessThanOrEqual(clock.now());
    expect(credentials.get(FLEET)?.rotation).toEqual(rotation);
    const old = credentials.secrets(FLEET).filter(({ state }) => state === "grace");
    expect(old.map(({ expires_at }) => expires_at)).toEqual([rotation?.grace_ends_at]);
  });

  it("moves a client that was away when it comes back within the grace", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const [agent] = await fleetOf(fixture, ["a"]);
    const old = agent.password;
    (await clients.connect(credentials, agent)).cut("away");
    await credentials.rotations.start(FLEET, undefined);
    expect(credentials.get(FLEET)?.rotation).toMatchObject({ moved: 0, total: 1 });
    fixture.clock.advance(1_000 * HOUR_MS);
    await clients.connect(credentials, agent);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
    expect(agent.password).not.toBe(old);
    expect(await outcome(fixture, old)).toBe("revoked");
  });

  it("cuts a client that is not told, only when the grace is over, and names it at once", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const [goClient] = await fleetOf(fixture, ["go"]);
    goClient.isShiftable = false;
    const session = await clients.connect(credentials, goClient);
    const { unmovable } = await credentials.rotations.start(FLEET, HOUR_MS);
    expect(unmovable).toEqual(["go"]);
    clock.advance(HOUR_MS - 1);
    expect(session.cutReason).toBeUndefined();
    clock.advance(1);
    await eventually(() => expect(session.cutReason).toMatch(/grace is over/));
    await expect(clients.connect(credentials, goClient)).rejects.toThrow("revoked");
  });

  it("without grace ends as soon as every connected client has answered", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const [moving, goClient] = await fleetOf(fixture, ["a", "go"]);
    goClient.isShiftable = false;
    const old = moving.password;
    const sessions = [
      await clients.connect(credentials, moving),
      await clients.connect(credentials, goClient),
    ];
    await credentials.rotations.start(FLEET, 0);
    await eventually(() => expect(sessions[1]?.cutReason).toBeDefined());
    expect(sessions[0]?.cutReason).toBeUndefined();
    expect(await outcome(fixture, old)).toBe("revoked");
    expect(await outcome(fixture, moving.password)).toBe("accepted");
  });

  it.each([0, undefined, HOUR_MS])(
    "S-32: started (grace %s) while another one moves a client moves it on, and strands it nowhere",
    async (graceMs) => {
      await using fixture = await openCredentials();
      const { credentials, clients } = fixture;
      const [agent] = await fleetOf(fixture, ["a"]);
      const [arrived, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const offered: string[] = [];
      agent.onOffer = async (self, { secret }) => {
        self.password = secret;
        offered.push(secret);
        arrived.resolve();
        await answer.promise;
        return true;
      };
      const session = await clients.connect(credentials, agent);
      await credentials.rotations.start(FLEET, undefined);
      await arrived.promise;
      await credentials.rotations.start(FLEET, graceMs);
      answer.resolve();
      await eventually(() => {
        expect(credentials.clientSecret(FLEET, session.secretId)?.state).toBe("active");
      });
      expect(offered).toHaveLength(2);
      fixture.clock.advance(HOUR_MS);
      await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
      expect(session.cutReason).toBeUndefined();
      expect(await outcome(fixture, agent.password)).toBe("accepted");
    },
  );

  it("without grace waits ten seconds for an answer, no longer", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const [agent] = await fleetOf(fixture, ["a"]);
    const stored = storesSilently(agent);
    const old = agent.password;
    const session = await clients.connect(credentials, agent);
    await credentials.rotations.start(FLEET, 0);
    await stored;
    clock.advance(9_999);
    expect(await outcome(fixture, old)).toBe("accepted");
    clock.advance(1);
    await eventually(() => expect(session.cutReason).toBeDefined());
    expect(await outcome(fixture, old)).toBe("revoked");
    expect(await outcome(fixture, agent.password)).toBe("accepted");
  });

  it("asks again an agent that could not store its secret", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const [agent] = await fleetOf(fixture, ["a"]);
    const refused = refusesOffers(agent);
    await clients.connect(credentials, agent);
    await credentials.rotations.start(FLEET, HOUR_MS);
    const { secret } = await refused;
    await eventually(() => expect(clock.timers).toBeGreaterThanOrEqual(4));
    agent.onOffer = storesAndAnswers;
    clock.advance(60_000);
    await eventually(() => expect(credentials.get(FLEET)?.rotation?.moved).toBe(1));
    await eventually(async () => expect(await outcome(fixture, secret)).toBe("wrong"));
  });
});

describe("a crash during a rotation loses no client", () => {
  it("after the secret was minted, before the agent got it", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const [agent] = await fleetOf(fixture, ["a"]);
    await clients.connect(credentials, agent);
    const { promise: offered, resolve } = Promise.withResolvers<void>();
    agent.onOffer = () => {
      resolve();
      return new Promise(() => undefined);
    };
    await credentials.rotations.start(FLEET, undefined);
    await offered;
    const again = await fixture.crash();
    expect(again.get(FLEET)?.rotation).toMatchObject({ moved: 0, total: 1 });
    agent.onOffer = storesAndAnswers;
    await clients.connect(again, agent);
    await eventually(() => expect(again.get(FLEET)?.rotation).toBeNull());
    expect(again.get(FLEET)?.secrets_active).toBe(1);
    await clients.connect(again, agent);
  });

  it("after the agent stored it, before it could say so", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const [agent] = await fleetOf(fixture, ["a"]);
    await clients.connect(credentials, agent);
    const stored = storesSilently(agent);
    await credentials.rotations.start(FLEET, undefined);
    await stored;
    const again = await fixture.crash();
    const session = await clients.connect(again, agent);
    await eventually(() => expect(again.get(FLEET)?.rotation).toBeNull());
    expect(again.clientSecret(FLEET, session.secretId)).toMatchObject({
      origin: "rotation",
      state: "active",
    });
    expect(again.get(FLEET)).toMatchObject({ secrets_active: 1, secrets_grace: 0 });
  });

  it("after the answer, before the client's record was written", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const [agent] = await fleetOf(fixture, ["a"]);
    const { secretId: old } = await clients.connect(credentials, agent);
    await credentials.rotations.start(FLEET, HOUR_MS);
    await eventually(() => expect(credentials.get(FLEET)?.rotation?.moved).toBe(1));
    await fixture.store.secretRows.all();
    await clients.record(agent.clientId, { authId: FLEET, secretId: old });
    const again = await fixture.crash();
    expect(again.get(FLEET)?.rotation).toMatchObject({ moved: 1, total: 1 });
    await clients.connect(again, agent);
  });

  it("and the grace ends when it would have", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const [agent] = await fleetOf(fixture, ["a"]);
    (await clients.connect(credentials, agent)).cut("away");
    await credentials.rotations.start(FLEET, HOUR_MS);
    await credentials.close();
    const again = await fixture.crash();
    clock.advance(HOUR_MS);
    await eventually(() => expect(again.get(FLEET)?.rotation).toBeNull());
    await expect(clients.connect(again, agent)).rejects.toThrow("revoked");
  });

  it("however often an agent comes back without having stored anything", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const [agent] = await fleetOf(fixture, ["a"]);
    (await clients.connect(credentials, agent)).cut("away");
    await credentials.rotations.start(FLEET, HOUR_MS);
    for (let round = 0; round < 6; round += 1) {
      const refused = refusesOffers(agent);
      (await clients.connect(credentials, agent)).cut("broken line");
      await refused;
    }
    expect(credentials.get(FLEET)?.secrets_active).toBeLessThanOrEqual(2);
    agent.onOffer = storesAndAnswers;
    await clients.connect(credentials, agent);
    await eventually(() => expect(credentials.get(FLEET)?.secrets_active).toBe(1));
  });
});
