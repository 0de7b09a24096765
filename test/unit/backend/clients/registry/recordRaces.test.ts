import { clientIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { clientRecord } from "../../../../support/backend/records.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";

const FLEET = authId("fleet");
const HOST = clientIdSchema.parse("host");
/** By then what was marked is written. */
const GATHER_MS = 250;
const RETRY_MS = 5_000;

/** A host that is connected, and on disk as it is. */
async function connected({ credentials, clients, clock }: CredentialsFixture) {
  const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
  const session = await clients.connect(credentials, new FakeAgent(HOST, FLEET, password));
  clock.advance(GATHER_MS);
  await clients.registry.close();
  return session;
}

const onDisk = async ({ store }: CredentialsFixture) =>
  (await store.clientRows.all()).map(({ id }) => id);

it("a host whose records are removed while it is cut does not come back with a restart", async () => {
  await using fixture = await openCredentials();
  const { clients, edits, clock } = fixture;
  await connected(fixture);
  // Its end has marked the record meanwhile, and the time to write what is marked has come.
  edits.after(
    ({ kind }) => kind === "forget",
    () => clock.advance(GATHER_MS),
  );
  await clients.registry.purge(FLEET);
  await clients.registry.close();
  expect(clients.recorded).toEqual([]);
  expect(await onDisk(fixture)).toEqual([]);
});

it("a removal that the disk refuses loses nothing that was to be written", async () => {
  await using fixture = await openCredentials();
  const { clients, disk, clock, store } = fixture;
  const session = await connected(fixture);
  session.cut("away");
  await Promise.resolve();
  expect(clients.registry.record(HOST)?.disconnected_at).not.toBeNull();
  disk.fill();
  await expect(clients.registry.remove(HOST)).rejects.toMatchObject({ code: "DISK_FULL" });
  disk.empty();
  clock.advance(RETRY_MS);
  await clients.registry.close();
  const disconnected_at = clients.registry.record(HOST)?.disconnected_at;
  expect(await store.clientRows.all()).toMatchObject([{ id: HOST, disconnected_at }]);
});

it("a client that was allowed again stays so on disk, whatever was to be written of it", async () => {
  await using fixture = await openCredentials();
  const { credentials, clients, edits, clock, store } = fixture;
  (await connected(fixture)).cut("away");
  await credentials.revocations.client(HOST);
  clients.registry.keepTunnels(HOST, []);
  edits.after(
    ({ kind }) => kind === "allowClient",
    () => clock.advance(GATHER_MS),
  );
  await credentials.revocations.allow(HOST);
  expect(await store.clientRows.all()).toMatchObject([{ id: HOST, revoked_at: null }]);
});

it("a client that comes while its record is being removed is on disk when it is told that it is in", async () => {
  await using fixture = await openCredentials();
  const { credentials, clients, edits } = fixture;
  const session = await connected(fixture);
  session.cut("away");
  await Promise.resolve();
  const removal = edits.hold(({ kind }) => kind === "forget");
  const removing = clients.registry.remove(HOST);
  await removal.arrived;
  const back = clients.connect(credentials, session.agent);
  removal.goOn();
  await Promise.all([removing, back]);
  expect(clients.recorded).toEqual([HOST]);
  expect(await onDisk(fixture)).toEqual([HOST]);
});

it("of a client that is away it is known when it was heard of last, until the server starts again", async () => {
  await using fixture = await openCredentials();
  const { clients } = fixture;
  await connected(fixture);
  const { presence, registry } = clients;
  const other = clientIdSchema.parse("other");
  const heard = {
    ...clients.presence.connected(HOST),
    clientId: other,
    lastHeardAtMs: Date.parse("2030-01-01T00:00:07Z"),
  } as NonNullable<ReturnType<typeof presence.connected>>;
  presence.enter(heard);
  registry.connect(clientRecord({ id: other, client_auth_id: FLEET }), heard);
  registry.disconnect(heard);
  expect(presence.lastHeardAtMs(other)).toBe(heard.lastHeardAtMs);
  expect(registry.record(other)?.heard_at).toBe("2030-01-01T00:00:07.000Z");
  await fixture.crash();
  expect(clients.presence.lastHeardAtMs(other)).toBeUndefined();
});
