import { NO_LIMITS } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { keyless } from "../../../../support/backend/newcomer.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";

const FLEET = authId("fleet");
const FORCE = { force: true, purge: false };
const PLAIN = { force: false, purge: false };

describe("creating a credential", () => {
  it.each([
    ["ab", "at least 3"],
    ["with:colon", "colon"],
    [" padded", "space"],
    ["line\nbreak", "control"],
  ])("is refused when no agent could use its id: %j", async (id, reason) => {
    await using fixture = await openCredentials();
    const creation = fixture.credentials.create({ id, createdBy: "test" });
    await expect(creation).rejects.toMatchObject({ code: "ERR_CODE_INVALID_REQUEST", status: 400 });
    await expect(creation).rejects.toThrow(reason);
  });

  it("says how long a typed password has to be", async () => {
    await using fixture = await openCredentials();
    const creation = fixture.credentials.create({ id: FLEET, password: "short", createdBy: "t" });
    await expect(creation).rejects.toThrow("at least 12 characters; this one has 5");
    expect(fixture.credentials.get(FLEET)).toBeUndefined();
  });

  it("is refused for networks that are none", async () => {
    await using fixture = await openCredentials();
    const limits = { ...NO_LIMITS, cidrs: ["192.0.2.0/33"] };
    const creation = fixture.credentials.create({ id: FLEET, limits, createdBy: "test" });
    await expect(creation).rejects.toThrow("192.0.2.0/33");
  });

  it("twice at the same time succeeds once, and leaves no secret of the other", async () => {
    await using fixture = await openCredentials();
    const { credentials, store } = fixture;
    const results = await Promise.allSettled([
      credentials.create({ id: FLEET, createdBy: "one" }),
      credentials.create({ id: FLEET, createdBy: "two" }),
    ]);
    expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results).toContainEqual(
      expect.objectContaining({
        reason: expect.objectContaining({ code: "ERR_CODE_ALREADY_EXIST" }),
      }),
    );
    expect(await store.secretRows.all()).toHaveLength(1);
  });

  it("interrupted after its secret was written leaves nothing behind", async () => {
    await using fixture = await openCredentials();
    const { credentials, store } = fixture;
    await credentials.create({ id: FLEET, createdBy: "test" });
    await store.document.update((data) => ({ ...data, credentials: [] }));
    const again = await fixture.crash();
    expect(again.get(FLEET)).toBeUndefined();
    expect(await store.secretRows.all()).toEqual([]);
  });

  it("on a disk that fails leaves no password for a later credential of that name (F-15)", async () => {
    await using fixture = await openCredentials();
    const { credentials, store, disk } = fixture;
    // Its secret gets there; its record does not, and neither does the removal of the secret.
    disk.decide((count) => (count === 1 ? "done" : "full"));
    const failed = { id: FLEET, password: "typed and failed", createdBy: "test" };
    await expect(credentials.create(failed)).rejects.toMatchObject({ code: "DISK_FULL" });
    disk.decide(() => "done");
    expect(await store.secretRows.all()).toHaveLength(1);

    await credentials.create({ id: FLEET, createdBy: "test" });
    const again = await fixture.crash();
    const login = await again.login(FLEET, failed.password, "192.0.2.1");
    expect(login).toMatchObject({ kind: "refused" });
    expect(again.secrets(FLEET)).toHaveLength(1);
  });
});

describe("a view", () => {
  it("contains no secret, no verifier and no salt", async () => {
    await using fixture = await openCredentials();
    const { credentials, store } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const shown = JSON.stringify([credentials.get(FLEET), credentials.secrets(FLEET)]);
    const [row] = await store.secretRows.all();
    expect(shown).not.toContain(password);
    expect(shown).not.toContain(Buffer.from(row?.verifier ?? []).toString("base64url"));
    expect(shown).not.toMatch(/salt|verifier/);
  });
});

describe("removing a credential", () => {
  it("while a password is added to it leaves none of both, also for the next of that name", async () => {
    await using fixture = await openCredentials();
    const { credentials, store } = fixture;
    await credentials.create({ id: FLEET, createdBy: "test" });
    const password = "typed and too late";
    const adding = credentials.addSecret(FLEET, { password });
    const late = expect(adding).rejects.toMatchObject({ code: "ERR_CODE_CLIENT_AUTH_NOT_FOUND" });
    await credentials.removals.remove(FLEET, FORCE);
    await credentials.create({ id: FLEET, createdBy: "test" });
    await late;
    expect(await store.secretRows.all()).toHaveLength(1);
    const again = await fixture.crash();
    expect(await again.login(FLEET, password, "192.0.2.1")).toMatchObject({ kind: "refused" });
  });

  it("is refused while clients use it, connected or only remembered", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    await clients.connect(credentials, new FakeAgent("a", FLEET, password));
    (await clients.connect(credentials, new FakeAgent("b", FLEET, password))).cut("away");
    await Promise.resolve();
    const removal = credentials.removals.remove(FLEET, PLAIN);
    await expect(removal).rejects.toMatchObject({ code: "ERR_CODE_CLIENT_AUTH_HAS_CLIENT" });
    await expect(removal).rejects.toThrow("2 clients, 1 of them connected");
    expect(clients.sessions.size).toBe(1);
  });

  it("with force ends every session and every secret, and keeps the records", async () => {
    await using fixture = await openCredentials({ openOf: () => 3, revokeOf: () => 3 });
    const { credentials, clients, store, touched } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const agent = new FakeAgent("a", FLEET, password);
    const session = await clients.connect(credentials, agent);
    const preview = credentials.removals.preview(FLEET, PLAIN);
    expect(session.cutReason).toBeUndefined();
    const report = await credentials.removals.remove(FLEET, FORCE);
    expect(report).toEqual(preview);
    expect(report).toEqual({
      clients: [{ id: "a", name: "a", connected: true, tunnels: 0 }],
      disconnected: 1,
      pairings: 3,
      offline: [],
    });
    expect(session.cutReason).toBe("the credential was deleted");
    await expect(clients.connect(credentials, agent)).rejects.toThrow("deleted");
    expect(await store.secretRows.all()).toEqual([]);
    expect(clients.recorded.length).toBe(1);
    expect(touched).toEqual(expect.arrayContaining(["credential fleet", "client a"]));
    await expect(credentials.removals.remove(FLEET, FORCE)).rejects.toMatchObject({ status: 404 });
  });

  it("with purge removes the records too", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    await clients.connect(credentials, new FakeAgent("a", FLEET, password));
    await credentials.removals.remove(FLEET, { ...FORCE, purge: true });
    expect(clients.recorded.length).toBe(0);
  });

  it("lets nobody in who signed in before and registers after", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const agent = new FakeAgent("late", FLEET, password);
    const login = await credentials.login(FLEET, password, "192.0.2.7");
    await credentials.removals.remove(FLEET, FORCE);
    if (login.kind === "accepted") {
      expect(await credentials.admit(login, keyless(agent.clientId))).toMatchObject({
        kind: "refused",
      });
    }
    expect(login.kind).toBe("accepted");
  });

  it("from the durable mark on lets nobody in, whatever happens then", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, store } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const agent = new FakeAgent("a", FLEET, password);
    const session = await clients.connect(credentials, agent);
    await store.database.close();
    expect(await credentials.removals.remove(FLEET, FORCE)).toMatchObject({ disconnected: 1 });
    expect(session.cutReason).toBeDefined();
    await expect(clients.connect(credentials, agent)).rejects.toThrow("deleted");
    expect(store.document.data.credentials).toContainEqual(
      expect.objectContaining({ id: FLEET, state: "revoked" }),
    );
  });

  it("that a crash interrupted is finished at the next start", async () => {
    await using fixture = await openCredentials();
    const { credentials, store } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    await store.document.update((data) => ({
      ...data,
      credentials: data.credentials.map((record) => ({ ...record, state: "revoked" })),
    }));
    const again = await fixture.crash();
    expect(again.list()).toEqual([]);
    expect(await store.secretRows.all()).toEqual([]);
    expect(await again.login(FLEET, password, "192.0.2.7")).toMatchObject({ why: "deleted" });
  });
});

describe("revoking one secret", () => {
  it("ends the sessions on it and no others", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const first = await credentials.create({ id: FLEET, createdBy: "test" });
    const second = await credentials.addSecret(FLEET, { password: "another good password" });
    const one = await clients.connect(credentials, new FakeAgent("a", FLEET, first.password));
    const two = await clients.connect(credentials, new FakeAgent("b", FLEET, second.password));
    await credentials.revokeSecrets([first.secretId]);
    expect(one.cutReason).toBeDefined();
    expect(two.cutReason).toBeUndefined();
    expect(credentials.secrets(FLEET).map((secret) => secret.state)).toEqual(["revoked", "active"]);
  });

  it("adds no password twice", async () => {
    await using fixture = await openCredentials();
    const password = "another good password";
    await fixture.credentials.create({ id: FLEET, password, createdBy: "test" });
    await expect(fixture.credentials.addSecret(FLEET, { password })).rejects.toMatchObject({
      code: "ERR_CODE_ALREADY_EXIST",
    });
  });
});
