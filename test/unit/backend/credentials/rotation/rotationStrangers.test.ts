import type { AuthId } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { isWaitedFor } from "../../../../../backend/src/credentials/rotation/progress.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { logIn, newcomerOf } from "../../../../support/backend/newcomer.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET: AuthId = authId("fleet");
const HOUR_MS = 3_600_000;

/** A host on a shared password that is away, and somebody else who knows that password. */
async function hostAndStranger({ credentials, clients }: CredentialsFixture) {
  const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
  const host = new FakeAgent("host", FLEET, password);
  (await clients.connect(credentials, host)).cut("away");
  return { password, host, stranger: new FakeAgent("stranger", FLEET, password) };
}

/** A host's agent with a fresh pairing's secret. */
async function pairedAgent({ credentials, clock }: CredentialsFixture, name: string) {
  const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + 10 * HOUR_MS);
  if (minted === undefined) throw new Error("one was asked for");
  return new FakeAgent(name, FLEET, minted.secret);
}

describe("one who comes during a rotation with the old shared password", () => {
  it.each([HOUR_MS, undefined])("gets no secret that outlives it (grace %s)", async (graceMs) => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { password, host, stranger } = await hostAndStranger(fixture);
    await credentials.rotations.start(FLEET, graceMs);
    const session = await clients.connect(credentials, stranger);
    const find = async () =>
      (await credentials.rotations.show(FLEET)).clients.find(({ id }) => id === "stranger");
    expect(await find()).toMatchObject({
      state: "straggler",
      reason: expect.stringMatching(/pairing/),
    });
    expect(await find()).not.toSatisfy(isWaitedFor);
    await eventually(async () =>
      expect(await fixture.store.secretRows.shifts()).toContainEqual(
        expect.objectContaining({ client_id: "stranger", state: "straggler" }),
      ),
    );
    expect(stranger.password).toBe(password);
    // Also in another rotation: having come in late proves nothing.
    await credentials.rotations.start(FLEET, graceMs);
    expect(await find()).not.toSatisfy(isWaitedFor);
    await clients.connect(credentials, host);
    await eventually(() => expect(host.password).not.toBe(password));
    clock.advance(HOUR_MS);
    await eventually(() => expect(session.cutReason).toMatch(/grace is over/));
    await expect(clients.connect(credentials, stranger)).rejects.toThrow("revoked");
    expect(stranger.password).toBe(password);
    await clients.connect(credentials, host);
  });

  it("is done once it was installed with a pairing", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { stranger } = await hostAndStranger(fixture);
    await credentials.rotations.start(FLEET, HOUR_MS);
    (await clients.connect(credentials, stranger)).cut("it is installed again");
    stranger.password = (await pairedAgent(fixture, "stranger")).password;
    const session = await clients.connect(credentials, stranger);
    expect(credentials.rotationState(FLEET, stranger.clientId)).toBeUndefined();
    clock.advance(HOUR_MS);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
    expect(session.cutReason).toBeUndefined();
  });
});

describe("a pairing that is on its way when a rotation begins", () => {
  it.each([HOUR_MS, undefined])("is good when it is over (grace %s)", async (graceMs) => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { host } = await hostAndStranger(fixture);
    const paired = await pairedAgent(fixture, "new");
    await credentials.rotations.start(FLEET, graceMs);
    await clients.connect(credentials, host);
    clock.advance(HOUR_MS);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
    await clients.connect(credentials, paired);
  });

  it("is good when its host waits to be let in meanwhile", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { host } = await hostAndStranger(fixture);
    await credentials.update(FLEET, { limits: { approval: true } });
    const paired = await pairedAgent(fixture, "new");
    const login = await logIn(credentials, FLEET, paired.password);
    const joined = credentials.join(login, newcomerOf("new"));
    await eventually(() => expect(credentials.joins.list()).toHaveLength(1));
    await credentials.rotations.start(FLEET, undefined);
    await clients.connect(credentials, host);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
    for (const { id } of credentials.joins.list()) credentials.joins.approve(id);
    expect(await joined).toBeUndefined();
    clock.advance(1);
    await clients.connect(credentials, paired);
  });

  it("is replaced like any other when it was used, or too late to be", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    await hostAndStranger(fixture);
    const used = await pairedAgent(fixture, "used");
    (await clients.connect(credentials, used)).cut("away");
    await pairedAgent(fixture, "late");
    clock.advance(10 * HOUR_MS);
    await credentials.rotations.start(FLEET, HOUR_MS);
    expect(credentials.get(FLEET)).toMatchObject({ secrets_active: 0 });
  });

  it("ends without grace", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    await hostAndStranger(fixture);
    const paired = await pairedAgent(fixture, "new");
    await credentials.rotations.start(FLEET, 0);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
    await expect(clients.connect(credentials, paired)).rejects.toThrow("revoked");
  });
});

describe("a rotation until all have moved", () => {
  it("waits for no host that is revoked, before or during it", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { password, host, stranger: second } = await hostAndStranger(fixture);
    (await clients.connect(credentials, second)).cut("away");
    const third = new FakeAgent("third", FLEET, password);
    (await clients.connect(credentials, third)).cut("away");
    await credentials.revocations.client(host.clientId);
    const { rotation } = await credentials.rotations.start(FLEET, undefined);
    expect(rotation).toMatchObject({ moved: 0, total: 2 });
    await clients.connect(credentials, second);
    await eventually(() => expect(credentials.get(FLEET)?.rotation?.moved).toBe(1));
    await credentials.revocations.client(third.clientId);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
  });
});
