import type { AuthId } from "@rport/protocol/ids";
import { clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import type { IssuedSecret } from "../../../../../backend/src/credentials/ledger/creation.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET: AuthId = authId("fleet");
const HOUR_MS = 3_600_000;
/** Credentials that are raced for at a time. */
const WAVE = 50;
const FORCE = { force: true, purge: false };

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Two hosts with secrets of their own, and one that shares a password with nobody else. */
async function threeHosts(fixture: CredentialsFixture) {
  const { credentials, clients, clock } = fixture;
  const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
  const [one, two] = await credentials.mintForPairing(FLEET, 2, clock.now() + HOUR_MS);
  if (one === undefined || two === undefined) throw new Error("two were asked for");
  const agents = {
    one: new FakeAgent("one", FLEET, one.secret),
    two: new FakeAgent("two", FLEET, two.secret),
    shared: new FakeAgent("shared", FLEET, password),
  };
  const sessions = {
    one: await clients.connect(credentials, agents.one),
    two: await clients.connect(credentials, agents.two),
    shared: await clients.connect(credentials, agents.shared),
  };
  return { agents, sessions };
}

describe("revoking a secret", () => {
  it("hits exactly those whom the dry run names", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { agents, sessions } = await threeHosts(fixture);
    const { secretId } = sessions.one;
    const preview = await credentials.revocations.previewSecret(FLEET, secretId);
    expect(preview).toMatchObject({ disconnected: 1, pairings: 0, offline: [] });
    expect(preview.clients.map(({ id }) => id)).toEqual(["one"]);
    expect(sessions.one.cutReason).toBeUndefined();
    expect(await credentials.revocations.secret(FLEET, secretId)).toEqual(preview);
    expect(sessions.one.cutReason).toMatch(/revoked/);
    expect(sessions.two.cutReason).toBeUndefined();
    expect(sessions.shared.cutReason).toBeUndefined();
    await expect(clients.connect(credentials, agents.one)).rejects.toThrow("revoked");
    const again = await fixture.crash();
    await expect(clients.connect(again, agents.one)).rejects.toThrow("revoked");
    await clients.connect(again, agents.two);
  });

  it("names a host that is away among those that are offline", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { sessions } = await threeHosts(fixture);
    sessions.two.cut("away");
    await nextTurn();
    const report = await credentials.revocations.secret(FLEET, sessions.two.secretId);
    expect(report).toMatchObject({ disconnected: 0, offline: ["two"] });
  });

  it("ends the pairings that would hand it out, and counts them", async () => {
    const asked: unknown[] = [];
    const pairings = {
      openOf: () => 1,
      revokeOf: (_: AuthId, secrets?: ReadonlySet<string>) => asked.push([...(secrets ?? [])]),
    };
    await using fixture = await openCredentials(pairings);
    const { credentials, clock } = fixture;
    await credentials.create({ id: FLEET, createdBy: "test" });
    const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + HOUR_MS);
    if (minted === undefined) throw new Error("nothing was minted");
    const report = await credentials.revocations.secret(FLEET, minted.secretId);
    expect(report).toMatchObject({ clients: [], pairings: 1 });
    expect(asked).toEqual([[minted.secretId]]);
    expect(credentials.secrets(FLEET).map(({ id }) => id)).not.toContain(minted.secretId);
  });

  it("takes along what was offered in its place and may be stored without a word", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { agents, sessions } = await threeHosts(fixture);
    const { promise: offered, resolve } = Promise.withResolvers<void>();
    agents.one.onOffer = (self, offer) => {
      self.password = offer.secret;
      resolve();
      return new Promise(() => undefined);
    };
    await credentials.rotations.start(FLEET, HOUR_MS);
    await offered;
    await credentials.revocations.secret(FLEET, sessions.one.secretId);
    await expect(clients.connect(credentials, agents.one)).rejects.toThrow("revoked");
  });

  it("is not found when the credential has no such secret", async () => {
    await using fixture = await openCredentials();
    await threeHosts(fixture);
    const other = secretIdSchema.parse("no-such-secret");
    const revocation = fixture.credentials.revocations.secret(FLEET, other);
    await expect(revocation).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("revoking a host", () => {
  it("refuses its id whatever secret it shows, says why, and leaves the others alone", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { agents, sessions } = await threeHosts(fixture);
    const { clientId } = agents.shared;
    const preview = await credentials.revocations.previewClient(clientId);
    expect(preview).toMatchObject({ disconnected: 1, offline: [], secrets: 0 });
    expect(sessions.shared.cutReason).toBeUndefined();
    expect(await credentials.revocations.client(clientId)).toEqual(preview);
    expect(sessions.shared.cutReason).toMatch(/revoked/);
    await expect(clients.connect(credentials, agents.shared)).rejects.toThrow(
      /client was revoked.*allows it/,
    );
    const other = new FakeAgent("other", FLEET, agents.shared.password);
    await clients.connect(credentials, other);
    await credentials.revocations.allow(clientId);
    await clients.connect(credentials, agents.shared);
  });

  it("revokes the secrets that only it may use, for good", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { agents, sessions } = await threeHosts(fixture);
    const { secretId } = sessions.one;
    const preview = await credentials.revocations.previewClient(agents.one.clientId);
    expect(preview).toMatchObject({ secrets: 1 });
    expect(await credentials.revocations.client(agents.one.clientId)).toEqual(preview);
    expect(credentials.clientSecret(FLEET, secretId)?.state).toBe("revoked");
    await credentials.revocations.allow(agents.one.clientId);
    await expect(clients.connect(credentials, agents.one)).rejects.toThrow("revoked");
  });

  it("cuts one that is being let in at that moment", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { agents, sessions } = await threeHosts(fixture);
    sessions.shared.cut("away");
    const connecting = clients.connect(credentials, agents.shared).catch(() => undefined);
    await credentials.revocations.client(agents.shared.clientId);
    await connecting;
    expect(clients.presence.locate(agents.shared.clientId)).toBeUndefined();
  });

  it("is not found when nobody knows it", async () => {
    await using fixture = await openCredentials();
    const ghost = clientIdSchema.parse("ghost");
    const { revocations } = fixture.credentials;
    for (const attempt of [
      async () => revocations.previewClient(ghost),
      () => revocations.client(ghost),
      () => revocations.allow(ghost),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
  });
});

describe("deleting a credential", () => {
  it("hits exactly those whom the dry run names", async () => {
    await using fixture = await openCredentials({ openOf: () => 2, revokeOf: () => 2 });
    const { credentials, clients } = fixture;
    const { sessions } = await threeHosts(fixture);
    sessions.two.cut("away");
    await nextTurn();
    const preview = credentials.removals.preview(FLEET, FORCE);
    expect(preview).toMatchObject({ disconnected: 2, pairings: 2, offline: ["two"] });
    expect(clients.sessions.size).toBe(2);
    expect(await credentials.removals.remove(FLEET, { ...FORCE })).toEqual(preview);
    expect(clients.sessions.size).toBe(0);
  });

  it("C-36: a thousand deletions that race a thousand logins leave no session behind", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const before = credentials.list().length;
    const ids = Array.from({ length: 1_000 }, (_, index) => authId(`fleet-${index}`));
    const made = await Promise.all(ids.map((id) => credentials.create({ id, createdBy: "test" })));
    const left: AuthId[] = [];
    let logins = 0;
    const race = async ({ id, password }: IssuedSecret, index: number): Promise<void> => {
      // A secret that is bound at its first use makes the admission wait for the disk.
      const [own] = await credentials.mintForPairing(id, 1, fixture.clock.now() + HOUR_MS);
      const secret = index % 2 === 0 ? password : (own?.secret ?? "");
      const agent = new FakeAgent(`host-of-${id}`, id, secret);
      /** Comes back at once, over and over, until it is turned away. */
      const attack = async (): Promise<void> => {
        await nextTurn();
        const session = await clients.connect(credentials, agent).catch(() => undefined);
        if (session === undefined) return;
        logins += 1;
        if (logins % 3 === 0) session.cut("it goes by itself");
        await attack();
      };
      const deletion = async (): Promise<void> => {
        for (let turn = 2 + (index % 9); turn > 0; turn -= 1) await nextTurn();
        await credentials.removals.remove(id, { force: true, purge: index % 3 === 0 });
        if (clients.presence.ofCredential(id).length > 0) left.push(id);
      };
      await Promise.all([attack(), deletion()]);
    };
    for (let first = 0; first < made.length; first += WAVE) {
      await Promise.all(made.slice(first, first + WAVE).map(race));
    }
    // how many there are is the machine's affair; fewer would be no race
    expect(logins).toBeGreaterThan(250);
    expect(left).toEqual([]);
    expect(clients.sessions.size).toBe(0);
    expect(credentials.list()).toHaveLength(before);
    expect(await fixture.store.secretRows.all()).toEqual([]);
  }, 30_000);
});

describe("a host that was revoked while its credential rotates", () => {
  it("does not hold the rotation up", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { agents, sessions } = await threeHosts(fixture);
    sessions.one.cut("away");
    await credentials.rotations.start(FLEET, undefined);
    await credentials.revocations.client(agents.one.clientId);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
  });
});

it("a secret whose use was lost in a crash is revoked and not forgotten, and no rotation waits for its host", async () => {
  await using fixture = await openCredentials();
  const { clients, touched } = fixture;
  const issued = await fixture.credentials.create({ id: FLEET, createdBy: "test" });
  await clients.connect(fixture.credentials, new FakeAgent("web", FLEET, issued.password));
  const credentials = await fixture.crash();
  await credentials.rotations.start(FLEET, undefined);
  touched.length = 0;
  await credentials.revocations.secret(FLEET, issued.secretId);
  expect(credentials.secrets(FLEET)).toMatchObject([{ state: "revoked" }]);
  expect(touched).toContain("client web");
  await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
});
