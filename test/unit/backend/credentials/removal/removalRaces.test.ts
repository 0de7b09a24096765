import { clientIdSchema } from "@rport/protocol/ids";
import { credentialLimitsSchema } from "@rport/protocol/model";
import { expect, it, onTestFinished } from "vitest";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { logIn, newcomerOf } from "../../../../support/backend/newcomer.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET = authId("fleet");
const FORCE = { force: true, purge: false };
const PLAIN = { ...FORCE, force: false };

async function fleet(approval = false) {
  const fixture = await openCredentials();
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const { credentials } = fixture;
  const issued = await credentials.create({
    id: FLEET,
    createdBy: "test",
    limits: credentialLimitsSchema.parse({ approval }),
  });
  return { ...fixture, ...issued };
}

it("a deletion with purge removes the records also while one without is under way", async () => {
  const { credentials, clients, password } = await fleet();
  (await clients.connect(credentials, new FakeAgent("web", FLEET, password))).cut("away");
  const reports = await Promise.all([
    credentials.removals.remove(FLEET, FORCE),
    credentials.removals.remove(FLEET, { ...FORCE, purge: true }),
  ]);
  for (const report of reports) expect(report.clients).toMatchObject([{ id: "web" }]);
  expect(clients.recorded).toEqual([]);
});

it("a deletion with purge names the records that stay, before and after", async () => {
  const { credentials, clients, password } = await fleet();
  const web = new FakeAgent("web", FLEET, password);
  (await clients.connect(credentials, web)).cut("away");
  await credentials.revocations.client(web.clientId);
  const purge = { ...FORCE, purge: true };
  const told = credentials.removals.preview(FLEET, purge);
  expect(told.kept).toEqual(["web"]);
  expect((await credentials.removals.remove(FLEET, purge)).kept).toEqual(["web"]);
});

it("a host that would come in at the last moment is too late, and one a moment earlier stops it", async () => {
  const { credentials, clients, password, edits } = await fleet();
  const [web, late] = [new FakeAgent("web", FLEET, password), new FakeAgent("l", FLEET, password)];
  const session = await clients.connect(credentials, web);
  const code = "ERR_CODE_CLIENT_AUTH_HAS_CLIENT";
  await expect(credentials.removals.remove(FLEET, PLAIN)).rejects.toMatchObject({ code });
  expect((await credentials.purge.run()).removed.map(({ id }) => id)).not.toContain(FLEET);
  expect(session.cutReason).toBeUndefined();
  session.cut("away");
  await clients.lose(web.clientId, FLEET);
  const refusals: unknown[] = [];
  edits.before(
    ({ kind }) => kind === "mark",
    () => clients.connect(credentials, late).then(undefined, (why) => void refusals.push(why)),
  );
  await credentials.removals.remove(FLEET, PLAIN);
  expect(refusals).toEqual([expect.objectContaining({ message: "deleted" })]);
  expect(clients.sessions.size).toBe(0);
});

it("nobody comes in while the mark of a deletion is on its way to the disk", async () => {
  const { credentials, clients, password, edits } = await fleet();
  const written = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  edits.after(
    ({ kind }) => kind === "mark",
    async () => {
      asked.resolve();
      await written.promise;
    },
  );
  const removal = credentials.removals.remove(FLEET, PLAIN);
  await asked.promise;
  const late = clients.connect(credentials, new FakeAgent("web", FLEET, password));
  await expect(late).rejects.toThrow("deleted");
  written.resolve();
  await removal;
});

it("a join that waits ends with its secret also on a full disk", async () => {
  const { credentials, password, secretId, disk } = await fleet(true);
  const login = await logIn(credentials, FLEET, password);
  const end = credentials.join(login, newcomerOf("new"));
  await eventually(() => expect(credentials.joins.list()).toHaveLength(1));
  disk.fill();
  const revocation = credentials.revocations.secret(FLEET, secretId);
  await expect(revocation).rejects.toMatchObject({ code: "NOT_DURABLE" });
  expect(await end).toMatchObject({ why: "revoked-secret" });
  expect(credentials.joins.list()).toEqual([]);
});

it("a join that waits ends with its credential also on a full disk", async () => {
  const { credentials, password, disk } = await fleet(true);
  const login = await logIn(credentials, FLEET, password);
  const end = credentials.join(login, newcomerOf("new"));
  await eventually(() => expect(credentials.joins.list()).toHaveLength(1));
  disk.fill();
  const removal = credentials.removals.remove(FLEET, FORCE);
  await expect(removal).rejects.toMatchObject({ code: "NOT_DURABLE" });
  expect(await end).toMatchObject({ why: "revoked-credential" });
  expect(credentials.joins.list()).toEqual([]);
});

it("what a crash leaves of a credential that was never there goes with all that belongs to it", async () => {
  const fixture = await fleet();
  const { store, clock } = fixture;
  const row = {
    credential_id: authId("ghost"),
    client_id: clientIdSchema.parse("web"),
    reason: "",
    secret_id: null,
    changed_at: clock.now(),
    state: "pending",
  } as const;
  await fixture.edits.settle([{ kind: "shift", row }]);
  expect(await store.secretRows.shifts()).toHaveLength(1);
  await fixture.crash();
  expect(await store.secretRows.shifts()).toEqual([]);
});
