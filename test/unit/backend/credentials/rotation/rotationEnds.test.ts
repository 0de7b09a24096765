import type { AuthId } from "@rport/protocol/ids";
import { describe, expect, it, vi } from "vitest";
import type { Credentials } from "../../../../../backend/src/credentials/credentials.ts";
import { rotationTurn } from "../../../../../backend/src/credentials/rotation/underWay.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET: AuthId = authId("fleet");
const HOUR_MS = 3_600_000;

/** Three clients in the middle of a rotation: one has moved, one cannot, one is away. */
async function halfway(fixture: CredentialsFixture) {
  const { credentials, clients } = fixture;
  const { password: shared } = await credentials.create({ id: FLEET, createdBy: "test" });
  const agent = (name: string): FakeAgent => new FakeAgent(name, FLEET, shared);
  const [moved, goClient, away] = [agent("moved"), agent("go"), agent("away")];
  goClient.isShiftable = false;
  (await clients.connect(credentials, away)).cut("away");
  const sessions = {
    moved: await clients.connect(credentials, moved),
    goClient: await clients.connect(credentials, goClient),
  };
  await credentials.rotations.start(FLEET, HOUR_MS);
  await eventually(() => expect(credentials.get(FLEET)?.rotation?.moved).toBe(1));
  return { shared, moved, goClient, away, sessions };
}

async function isLetIn(credentials: Credentials, password: string): Promise<boolean> {
  return (await credentials.login(FLEET, password, "192.0.2.7")).kind === "accepted";
}

describe("finishing a rotation", () => {
  it("tells with a dry run who will be hit, and then hits exactly those", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { shared, moved, away, sessions } = await halfway(fixture);
    const before = await fixture.store.secretRows.all();
    const preview = await credentials.rotations.previewFinish(FLEET);
    expect(preview.clients.map(({ id }) => id).sort()).toEqual(["away", "go"]);
    expect(preview).toMatchObject({ disconnected: 1, pairings: 0, offline: ["away"] });
    expect(await fixture.store.secretRows.all()).toEqual(before);
    expect(sessions.goClient.cutReason).toBeUndefined();
    expect(await credentials.rotations.finish(FLEET)).toEqual(preview);
    expect(sessions.goClient.cutReason).toMatch(/grace is over/);
    expect(sessions.moved.cutReason).toBeUndefined();
    expect(await isLetIn(credentials, shared)).toBe(false);
    expect(await isLetIn(credentials, away.password)).toBe(false);
    expect(await isLetIn(credentials, moved.password)).toBe(true);
    expect(await credentials.rotations.show(FLEET)).toEqual({ rotation: undefined, clients: [] });
  });

  it("is a conflict when none is under way", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    await credentials.create({ id: FLEET, createdBy: "test" });
    await expect(credentials.rotations.finish(FLEET)).rejects.toMatchObject({
      code: "CONFLICT",
    });
    await expect(credentials.rotations.abandon(FLEET)).rejects.toMatchObject({ code: "CONFLICT" });
  });

  it("is over in one step however often it is asked for at once", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    await halfway(fixture);
    const results = await Promise.allSettled([
      credentials.rotations.finish(FLEET),
      credentials.rotations.abandon(FLEET),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(credentials.get(FLEET)).toMatchObject({ secrets_active: 1, secrets_grace: 0 });
  });
});

describe("a rotation until all have moved", () => {
  it("looks at a large fleet now and then, not for each client that comes", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const agents = Array.from({ length: 501 }, (_, n) => new FakeAgent(`h${n}`, FLEET, password));
    const sessions = [];
    for (const agent of agents) sessions.push(await clients.connect(credentials, agent));
    for (const session of sessions) session.cut("away");
    await credentials.rotations.start(FLEET, undefined);
    const look = vi.spyOn(clients.registry, "clientsOf");
    for (const agent of agents) await clients.connect(credentials, agent);
    await eventually(() => expect(agents.every((agent) => agent.password !== password)).toBe(true));
    expect(look.mock.calls.length).toBeLessThan(10);
    await eventually(() => {
      clock.advance(1_000);
      expect(credentials.get(FLEET)).toMatchObject({ rotation: null, secrets_grace: 0 });
    });
    expect(await isLetIn(credentials, password)).toBe(false);
  });
});

describe("taking a rotation back", () => {
  it("S-32: keeps a new secret that is still on its way to the agent's disk", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const agent = new FakeAgent("slow", FLEET, password);
    const session = await clients.connect(credentials, agent);
    const { promise: offered, resolve } = Promise.withResolvers<string>();
    agent.onOffer = (_, { secret }) => {
      resolve(secret);
      return Promise.resolve(false);
    };
    await credentials.rotations.start(FLEET, undefined);
    const next = await offered;
    session.cut("broken line");
    await credentials.rotations.abandon(FLEET);
    (await clients.connect(credentials, agent)).cut("broken line");
    agent.password = next;
    await clients.connect(credentials, agent);
    expect(clients.sessions.size).toBe(1);
  });

  it("makes the old secrets good again for ever, and leaves the new ones", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { shared, moved, away, sessions } = await halfway(fixture);
    await credentials.rotations.abandon(FLEET);
    clock.advance(100 * HOUR_MS);
    expect(await credentials.rotations.show(FLEET)).toEqual({ rotation: undefined, clients: [] });
    expect(sessions.goClient.cutReason).toBeUndefined();
    expect(sessions.moved.cutReason).toBeUndefined();
    expect(await isLetIn(credentials, shared)).toBe(true);
    expect(await isLetIn(credentials, moved.password)).toBe(true);
    await clients.connect(credentials, away);
    expect(away.password).toBe(shared);
    expect(credentials.get(FLEET)).toMatchObject({ secrets_active: 2, secrets_grace: 0 });
    await credentials.close();
    const again = await fixture.crash();
    expect(await isLetIn(again, shared)).toBe(true);
    expect(again.get(FLEET)?.rotation).toBeNull();
  });

  it.each([
    ["had stored its new secret", true],
    ["had not stored it", false],
  ])("S-32: strands no client that had not answered: it %s", async (_, isStored) => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const agent = new FakeAgent("a", FLEET, password);
    const { promise: offered, resolve } = Promise.withResolvers<void>();
    agent.onOffer = (self, offer) => {
      if (isStored) self.password = offer.secret;
      resolve();
      return Promise.resolve(false);
    };
    const session = await clients.connect(credentials, agent);
    await credentials.rotations.start(FLEET, HOUR_MS);
    await offered;
    await credentials.rotations.abandon(FLEET);
    clock.advance(2 * HOUR_MS);
    session.cut("broken line");
    await clients.connect(credentials, agent);
    // The shared secret, and the client's own if it has one; what was never stored is gone.
    expect(credentials.get(FLEET)?.secrets_active).toBe(isStored ? 2 : 1);
    expect(await isLetIn(credentials, agent.password)).toBe(true);
  });
});

describe("rotating while a rotation is under way", () => {
  it("begins anew: who moved in the first one is counted again only when it moves again", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { moved, sessions } = await halfway(fixture);
    const firstOwn = moved.password;
    moved.onOffer = () => Promise.resolve(false);
    const { rotation } = await credentials.rotations.start(FLEET, 2 * HOUR_MS);
    expect(rotation).toMatchObject({ moved: 0, total: 3, stragglers: 1 });
    await eventually(() => expect(credentials.get(FLEET)?.rotation?.stragglers).toBe(2));
    moved.onOffer = (agent, offer) => {
      agent.password = offer.secret;
      return Promise.resolve(true);
    };
    fixture.clock.advance(60_000);
    await eventually(() => expect(credentials.get(FLEET)?.rotation?.moved).toBe(1));
    expect(moved.password).not.toBe(firstOwn);
    await eventually(async () => expect(await isLetIn(credentials, firstOwn)).toBe(false));
    expect(sessions.moved.cutReason).toBeUndefined();
  });

  it("ends when the second one says, and not when the first one did", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    const { sessions } = await halfway(fixture);
    await credentials.rotations.start(FLEET, 2 * HOUR_MS);
    clock.advance(HOUR_MS);
    expect(credentials.get(FLEET)?.rotation).not.toBeNull();
    expect(sessions.goClient.cutReason).toBeUndefined();
    clock.advance(HOUR_MS);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
    expect(sessions.goClient.cutReason).toMatch(/grace is over/);
  });

  it.each([
    ["shorter", HOUR_MS / 2, HOUR_MS / 2],
    ["longer", 3 * HOUR_MS, 3 * HOUR_MS],
    ["open", undefined, 100 * HOUR_MS],
  ])("gives the old secrets its own, %s end, also after a restart", async (_, graceMs, goodMs) => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    const { shared } = await halfway(fixture);
    await credentials.rotations.start(FLEET, graceMs);
    const kept = await fixture.store.secretRows.all();
    const old = kept.filter(({ state }) => state === "grace").map((row) => row.expires_at);
    expect(new Set(old)).toEqual(new Set([graceMs === undefined ? null : clock.now() + graceMs]));
    await credentials.close();
    const again = await fixture.crash();
    clock.advance(goodMs - 1);
    expect(await isLetIn(again, shared)).toBe(true);
    clock.advance(1);
    expect(await isLetIn(again, shared)).toBe(graceMs === undefined);
  });

  it("is not ended by the first one, whose time is over at that moment", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { sessions, moved } = await halfway(fixture);
    await credentials.rotations.abandon(FLEET);
    moved.onOffer = () => new Promise(() => undefined);
    await credentials.rotations.start(FLEET, 0);
    clock.advance(9_999);
    const again = credentials.rotations.start(FLEET, undefined);
    clock.advance(1);
    expect((await again).rotation.grace_ends_at).toBeNull();
    await credentials.rotations.previewStart(FLEET, undefined);
    expect(credentials.get(FLEET)?.rotation).not.toBeNull();
    expect(sessions.goClient.cutReason).toBeUndefined();
    expect(clients.sessions.size).toBe(2);
  });

  it("answers a dry run with what it would do, and does nothing", async () => {
    await using fixture = await openCredentials({ openOf: () => 2, revokeOf: () => 2 });
    const { credentials } = fixture;
    await halfway(fixture);
    const before = [
      await fixture.store.secretRows.all(),
      await fixture.store.secretRows.rotations(),
      await fixture.store.secretRows.shifts(),
    ];
    const preview = await credentials.rotations.previewStart(FLEET, 0);
    expect(preview).toMatchObject({ pairings: 2, unmovable: ["go"] });
    expect(preview.rotation).toMatchObject({ moved: 0, total: 3, stragglers: 1 });
    expect([
      await fixture.store.secretRows.all(),
      await fixture.store.secretRows.rotations(),
      await fixture.store.secretRows.shifts(),
    ]).toEqual(before);
    expect(await credentials.rotations.start(FLEET, 0)).toEqual(preview);
  });
});

it("a rotation that waits for its clients ends with the last one, also when that takes its secret late", async () => {
  await using fixture = await openCredentials();
  const { credentials, clients, clock } = fixture;
  const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
  const agent = new FakeAgent("web", FLEET, password);
  const { onOffer } = agent;
  const refused = Promise.withResolvers<void>();
  agent.onOffer = async () => {
    agent.onOffer = onOffer;
    refused.resolve();
    return false;
  };
  await clients.connect(credentials, agent);
  await credentials.rotations.start(FLEET, undefined);
  await refused.promise;
  await eventually(() => expect(credentials.get(FLEET)?.rotation?.stragglers).toBe(1));
  clock.advance(60_000);
  await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
  expect(agent.password).not.toBe(password);
});

it("a rotation that waited for its turn does not begin for a later credential of the same name", async () => {
  await using fixture = await openCredentials();
  const { credentials, edits, store } = fixture;
  await credentials.create({ id: FLEET, createdBy: "test" });
  const before = Promise.withResolvers<void>();
  const turn = edits.turn(rotationTurn(FLEET), () => before.promise);
  const start = credentials.rotations.start(FLEET, undefined);
  await credentials.removals.remove(FLEET, { force: true, purge: false });
  await credentials.create({ id: FLEET, createdBy: "test" });
  before.resolve();
  await turn;
  await expect(start).rejects.toMatchObject({ code: "ERR_CODE_CLIENT_AUTH_NOT_FOUND" });
  expect(credentials.secrets(FLEET)).toMatchObject([{ state: "active" }]);
  expect(credentials.get(FLEET)?.rotation).toBeNull();
  expect(await store.secretRows.rotations()).toEqual([]);
});
