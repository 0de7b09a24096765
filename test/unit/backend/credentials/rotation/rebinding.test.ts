import { clientIdSchema } from "@rport/protocol/ids";
import { expect, it, vi } from "vitest";
import { mergeWith } from "../../../../../backend/src/adoption/adoptions.ts";
import type { Credentials } from "../../../../../backend/src/credentials/credentials.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET = authId("fleet");
const HOUR_MS = 3_600_000;
const [OLD, NEW] = [clientIdSchema.parse("old"), clientIdSchema.parse("new")];
/** Adopts as the registry does: on disk, then the record is gone. */
async function moveTo({ clients }: CredentialsFixture, credentials: Credentials) {
  const merge = mergeWith([]);
  await clients.registry.adopt(NEW, OLD, {
    merge,
    edits: credentials.adoptionEdits({ from: OLD, to: NEW }),
  });
  credentials.onAdopted(NEW);
}

const ownersOf = (credentials: Credentials) =>
  credentials.secrets(FLEET).flatMap(({ client_id: id, state }) => (id ? [`${id} ${state}`] : []));

/** A host with a secret of its own, away; and the same host under another id, on the shared one. */
async function hosts(fixture: CredentialsFixture) {
  const { credentials, clients } = fixture;
  const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
  const [old, fresh] = [OLD, NEW].map((id) => new FakeAgent(id, FLEET, password));
  if (old === undefined || fresh === undefined) throw new Error("there are two");
  const session = await clients.connect(credentials, old);
  await credentials.rotations.start(FLEET, HOUR_MS);
  await eventually(() => expect(ownersOf(credentials)).toEqual(["old active"]));
  session.cut("away");
  return { old, fresh };
}

it("a host that was moved to another id gets in there with the secret it had, also after a crash", async () => {
  await using fixture = await openCredentials();
  const { credentials, clients } = fixture;
  const { old, fresh } = await hosts(fixture);
  await credentials.rotations.abandon(FLEET);
  await clients.connect(credentials, fresh);
  await moveTo(fixture, credentials);
  for (const one of [credentials, await fixture.crash()]) {
    expect(ownersOf(one)).toEqual(["new active"]);
    await expect(clients.connect(one, old)).rejects.toThrow("belongs to another client");
    const restored = new FakeAgent(NEW, FLEET, old.password);
    expect(await clients.connect(one, restored)).toMatchObject({ clientId: NEW });
  }
});

it("a move during a rotation does not make it believe that the client has moved already", async () => {
  await using fixture = await openCredentials();
  const { credentials, clients } = fixture;
  const { fresh } = await hosts(fixture);
  const stays = fresh.password;
  const offers = vi.fn(() => Promise.resolve(false));
  fresh.onOffer = offers;
  const session = await clients.connect(credentials, fresh);
  await moveTo(fixture, credentials);
  expect(ownersOf(credentials)).toContain("new grace");
  const { clients: standing } = await credentials.rotations.show(FLEET);
  expect(standing).toMatchObject([{ id: NEW, state: expect.not.stringMatching("done") }]);
  await eventually(() => expect(offers).toHaveBeenCalled());
  session.cut("again");
  fresh.onOffer = (agent, offer) => {
    agent.password = offer.secret;
    return Promise.resolve(true);
  };
  await clients.connect(credentials, fresh);
  await eventually(async () =>
    expect((await credentials.rotations.show(FLEET)).clients[0]?.state).toBe("done"),
  );
  expect(fresh.password).not.toBe(stays);
  await credentials.rotations.finish(FLEET);
  expect(ownersOf(credentials).filter((one) => one !== "new revoked")).toEqual(["new active"]);
  expect(await clients.connect(credentials, fresh)).toMatchObject({ clientId: NEW });
});
