import type { AuthId } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import type { Credentials } from "../../../../../backend/src/credentials/credentials.ts";
import type { Edit } from "../../../../../backend/src/store/edits/edit.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { type FakeAgent, fakeAgents } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET: AuthId = authId("fleet");
const HOUR_MS = 3_600_000;

async function agentsOf<const Names extends readonly string[]>(
  { credentials }: CredentialsFixture,
  ...names: Names
) {
  const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
  return fakeAgents(names, { id: FLEET, password });
}

async function oneAgent(fixture: CredentialsFixture): Promise<FakeAgent> {
  const [agent] = await agentsOf(fixture, "a");
  return agent;
}

const statesOf = async (credentials: Credentials): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await credentials.rotations.show(FLEET)).clients.map(({ id, state }) => [id, state]),
  );

async function isLetIn(credentials: Credentials, password: string): Promise<boolean> {
  return (await credentials.login(FLEET, password, "192.0.2.7")).kind === "accepted";
}

const storesAndAnswers: FakeAgent["onOffer"] = (agent, offer) => {
  agent.password = offer.secret;
  return Promise.resolve(true);
};

/** An offer that stays unanswered until the test says what the agent answers. */
function holdsOffers(agent: FakeAgent) {
  const [arrived, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()];
  agent.onOffer = async (self, offer) => {
    arrived.resolve();
    const isStored = await answer.promise;
    if (isStored) self.password = offer.secret;
    return isStored;
  };
  return { arrived: arrived.promise, answer: answer.resolve };
}

describe("where a client stands in a rotation", () => {
  it("goes from pending over offered to done, and each step is announced", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, touched } = fixture;
    const [here, away] = await agentsOf(fixture, "here", "away");
    (await clients.connect(credentials, away)).cut("away");
    await clients.connect(credentials, here);
    const { arrived, answer } = holdsOffers(here);
    await credentials.rotations.start(FLEET, HOUR_MS);
    await arrived;
    expect(await statesOf(credentials)).toEqual({ away: "pending", here: "offered" });
    expect(credentials.rotationState(FLEET, here.clientId)).toBe("offered");
    touched.length = 0;
    const stored = fixture.edits.stopAt("after", isMoved("stored"));
    answer(true);
    await stored;
    const again = await fixture.crash();
    expect(await statesOf(again)).toEqual({ away: "pending", here: "stored" });
    await clients.connect(again, here);
    expect(await statesOf(again)).toEqual({ away: "pending", here: "done" });
    expect(again.rotationState(FLEET, here.clientId)).toBeUndefined();
    expect(touched).toEqual(expect.arrayContaining(["credential fleet"]));
  });

  it("is announced for the client and the credential at each step", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, touched } = fixture;
    const agent = await oneAgent(fixture);
    await clients.connect(credentials, agent);
    touched.length = 0;
    await credentials.rotations.start(FLEET, HOUR_MS);
    await eventually(async () => expect(await statesOf(credentials)).toEqual({ a: "done" }));
    const count = (what: string): number => touched.filter((one) => one === what).length;
    // Pending, offered, stored, on its new secret, done.
    await eventually(() => expect(count("client a")).toBe(5));
    expect(count("credential fleet")).toBeGreaterThanOrEqual(4);
  });

  it("is straggler with a reason for RPort's own client, connected or away", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const agents = await agentsOf(fixture, "go-here", "go-away");
    for (const agent of agents) agent.isShiftable = false;
    for (const agent of agents) await clients.connect(credentials, agent);
    [...clients.sessions].find(({ clientId }) => clientId === "go-away")?.cut("away");
    const { rotation, unmovable } = await credentials.rotations.start(FLEET, undefined);
    expect(rotation).toMatchObject({ moved: 0, total: 2, stragglers: 2 });
    expect(unmovable).toEqual(["go-here"]);
    for (const client of (await credentials.rotations.show(FLEET)).clients) {
      expect(client).toMatchObject({
        state: "straggler",
        reason: expect.stringMatching(/pairing/),
      });
    }
  });

  it("is straggler for one that joins with the old secret and cannot be moved", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const agent = await oneAgent(fixture);
    agent.isShiftable = false;
    await credentials.rotations.start(FLEET, HOUR_MS);
    await clients.connect(credentials, agent);
    await eventually(async () => expect(await statesOf(credentials)).toEqual({ a: "straggler" }));
  });

  it("is straggler while an agent says no, and pending when it went away meanwhile", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const agent = await oneAgent(fixture);
    const session = await clients.connect(credentials, agent);
    agent.onOffer = () => Promise.resolve(false);
    await credentials.rotations.start(FLEET, HOUR_MS);
    await eventually(() => expect(credentials.get(FLEET)?.rotation?.stragglers).toBe(1));
    expect((await credentials.rotations.show(FLEET)).clients[0]?.reason).toMatch(/asked again/);
    const { arrived, answer } = holdsOffers(agent);
    clock.advance(60_000);
    await arrived;
    expect(await statesOf(credentials)).toEqual({ a: "offered" });
    session.cut("broken line");
    answer(false);
    await eventually(async () => expect(await statesOf(credentials)).toEqual({ a: "pending" }));
    expect((await credentials.rotations.show(FLEET)).clients[0]?.reason).toMatch(/went away/);
  });

  it("is asked for nothing when no rotation is under way", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const agent = await oneAgent(fixture);
    await clients.connect(credentials, agent);
    expect(await credentials.rotations.show(FLEET)).toEqual({ rotation: undefined, clients: [] });
    await credentials.rotations.start(FLEET, undefined);
    await eventually(async () =>
      expect((await credentials.rotations.show(FLEET)).rotation).toBeUndefined(),
    );
    expect(credentials.rotationState(FLEET, agent.clientId)).toBeUndefined();
    expect(await fixture.store.secretRows.shifts()).toEqual([]);
  });
});

const isMoved =
  (state: string) =>
  (edit: Edit): boolean =>
    edit.kind === "shifted" && edit.to.state === state;
const isGrace = ({ kind }: Edit): boolean => kind === "grace";
const isMint = (edit: Edit): boolean => edit.kind === "add" && edit.row.origin === "rotation";
const isEnd = (edit: Edit): boolean => edit.kind === "rotation" && edit.row.ended_at !== null;

/** Every write of a rotation, in order. */
const WRITES: readonly [string, (edit: Edit) => boolean][] = [
  ["grace", isGrace],
  ["mint and offer", isMint],
  ["stored", isMoved("stored")],
  ["adopted", isMoved("done")],
  ["end", isEnd],
];

/** What an agent does with an offer, and whether it loses its power at that moment. */
const AGENTS: readonly [string, FakeAgent["onOffer"]][] = [
  ["stores it and answers", storesAndAnswers],
  [
    "stores it, and its answer is lost",
    (agent, offer) => {
      agent.password = offer.secret;
      return Promise.resolve(false);
    },
  ],
  ["never sees it", () => Promise.resolve(false)],
];

const CRASHES = WRITES.flatMap(([write, isIt]) =>
  (["before", "after"] as const).flatMap((when) =>
    AGENTS.map(([does, onOffer]) => ({ write, isIt, when, does, onOffer })),
  ),
);

describe("S-32: the server is killed, and no host is stranded", () => {
  it.each(CRASHES)("$when the write of: $write; the agent $does", async (crash) => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const agent = await oneAgent(fixture);
    const first = agent.password;
    await clients.connect(credentials, agent);
    agent.onOffer = crash.onOffer;
    const stopped = fixture.edits.stopAt(crash.when, crash.isIt);
    void credentials.rotations.start(FLEET, undefined);
    // Where the agent confirms nothing, the later writes never come: then it stops as it is.
    const rests = eventually(async () =>
      expect(await statesOf(credentials)).toEqual({ a: "straggler" }),
    );
    await Promise.race([stopped, rests]);
    const again = await fixture.crash();
    expect(await isLetIn(again, agent.password)).toBe(true);
    agent.onOffer = storesAndAnswers;
    await clients.connect(again, agent);
    const isOpen = (): boolean => again.get(FLEET)?.rotation !== null;
    await eventually(() => expect(isOpen()).toBe(false));
    if (crash.write === "grace" && crash.when === "before") {
      expect(agent.password).toBe(first);
    } else {
      expect(agent.password).not.toBe(first);
      expect(await isLetIn(again, first)).toBe(false);
    }
    expect(await isLetIn(again, agent.password)).toBe(true);
    await clients.connect(again, agent);
    expect(again.get(FLEET)).toMatchObject({ secrets_active: 1, secrets_grace: 0 });
  });
});

describe("S-32: the agent is killed, and gets in with the secret it has", () => {
  it.each([
    ["before it stores the offer", false],
    ["after it stored it, before it answers", true],
  ])("%s", async (_, isStored) => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const agent = await oneAgent(fixture);
    const session = await clients.connect(credentials, agent);
    const { promise: killed, resolve } = Promise.withResolvers<void>();
    agent.onOffer = (self, offer) => {
      if (isStored) self.password = offer.secret;
      session.cut("the agent was killed");
      resolve();
      return Promise.resolve(false);
    };
    await credentials.rotations.start(FLEET, undefined);
    await killed;
    await eventually(async () => expect(await statesOf(credentials)).toEqual({ a: "pending" }));
    agent.onOffer = storesAndAnswers;
    await clients.connect(credentials, agent);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
    expect(await isLetIn(credentials, agent.password)).toBe(true);
    expect(credentials.get(FLEET)).toMatchObject({ secrets_active: 1, secrets_grace: 0 });
  });
});

describe("S-32: the record of a client is lost in a crash", () => {
  it("and the rotation waits for the client all the same, until it came or was forgotten", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const [here, away] = await agentsOf(fixture, "here", "away");
    for (const agent of [here, away]) (await clients.connect(credentials, agent)).cut("away");
    await credentials.rotations.start(FLEET, undefined);
    const lost = [here, away].map(
      ({ clientId: client }) => ({ kind: "forget", client, credential: FLEET }) as const,
    );
    await fixture.edits.settle(lost);
    const again = await fixture.crash();
    expect(await statesOf(again)).toEqual({ away: "pending", here: "pending" });
    await clients.connect(again, here);
    await eventually(async () =>
      expect(await statesOf(again)).toEqual({ away: "pending", here: "done" }),
    );
    expect(await isLetIn(again, away.password)).toBe(true);
    await clients.lose(away.clientId, FLEET);
    await eventually(() => expect(again.get(FLEET)?.rotation).toBeNull());
  });
});
