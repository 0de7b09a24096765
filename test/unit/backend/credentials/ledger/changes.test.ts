import { NO_LIMITS } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";

const FLEET = authId("fleet");
const MINUTE_MS = 60_000;

describe("changing a credential", () => {
  it("changes what is given and keeps the rest, also for the next process", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const limits = { ...NO_LIMITS, max_clients: 5, cidrs: ["192.0.2.0/24"] };
    await credentials.create({ id: FLEET, label: "Old", limits, createdBy: "test" });
    await credentials.update(FLEET, { label: "New", limits: { max_clients: null } });
    const again = await fixture.crash();
    expect(again.get(FLEET)).toMatchObject({
      label: "New",
      kind: "fleet",
      limits: { max_clients: null, cidrs: ["192.0.2.0/24"] },
    });
  });

  it("lets nobody in from outside its new networks, and cuts nobody", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const session = await clients.connect(credentials, new FakeAgent("a", FLEET, password));
    await credentials.update(FLEET, { limits: { cidrs: ["198.51.100.0/24"] } });
    expect(session.cutReason).toBeUndefined();
    const login = await credentials.login(FLEET, password, "192.0.2.7");
    expect(login).toEqual({ kind: "refused", why: "address" });
  });

  it("refuses networks that are none, and then changes nothing", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    await credentials.create({ id: FLEET, label: "Old", createdBy: "test" });
    const change = credentials.update(FLEET, { label: "New", limits: { cidrs: ["nonsense"] } });
    await expect(change).rejects.toMatchObject({ code: "ERR_CODE_INVALID_REQUEST" });
    expect(credentials.get(FLEET)?.label).toBe("Old");
  });

  it("never brings back a credential that is deleted meanwhile", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const plain = { force: false, purge: false };
    await Promise.allSettled([
      credentials.update(FLEET, { label: "one" }),
      credentials.removals.remove(FLEET, plain),
      credentials.update(FLEET, { label: "two" }),
    ]);
    expect(credentials.get(FLEET)).toBeUndefined();
    const login = await credentials.login(FLEET, password, "192.0.2.7");
    expect(login.kind).toBe("refused");
    expect((await fixture.crash()).get(FLEET)).toBeUndefined();
  });
});

describe("purging credentials that nobody uses", () => {
  it("removes those that the dry run names, and no others", async () => {
    const open = authId("open");
    await using fixture = await openCredentials({
      openOf: (id) => (id === open ? 1 : 0),
      revokeOf: () => 0,
    });
    const { credentials, clients, clock } = fixture;
    for (const { id } of credentials.list()) {
      await credentials.removals.remove(id, { force: false, purge: false });
    }
    const ids = ["never-used", "left-by-all", "in-use", "away", "open", "claimed"].map(authId);
    const made = new Map<string, string>();
    for (const id of ids) {
      made.set(id, (await credentials.create({ id, createdBy: "test" })).password);
    }
    const agentOf = (id: string): FakeAgent => new FakeAgent(id, authId(id), made.get(id) ?? "");
    await clients.connect(credentials, agentOf("in-use"));
    (await clients.connect(credentials, agentOf("away"))).cut("away");
    const gone = await clients.connect(credentials, agentOf("left-by-all"));
    gone.cut("away");
    await clients.lose(gone.clientId, gone.credentialId);
    await credentials.mintForPairing(authId("claimed"), 1, clock.now() + MINUTE_MS);
    const { purge: unused } = credentials;
    const purge = async (dryRun: boolean) => {
      const { removed, failed } = dryRun ? unused.preview() : await unused.run();
      expect(failed).toEqual([]);
      return removed.map(({ id }) => id);
    };
    expect(await purge(true)).toEqual(["left-by-all", "never-used"]);
    expect(credentials.list()).toHaveLength(ids.length);
    expect(await purge(false)).toEqual(["left-by-all", "never-used"]);
    expect(credentials.list().map(({ id }) => id)).toEqual(["away", "claimed", "in-use", "open"]);
    clock.advance(MINUTE_MS);
    expect(await purge(true)).toEqual(["claimed"]);
  });
});
