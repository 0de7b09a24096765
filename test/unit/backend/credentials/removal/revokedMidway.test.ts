import type { AuthId } from "@rport/protocol/ids";
import { describe, expect, it, vi } from "vitest";
import type { Edit } from "../../../../../backend/src/store/edits/edit.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET: AuthId = authId("fleet");
const HOUR_MS = 3_600_000;

/** A host on a shared password. */
async function oneHost({ credentials, clients }: CredentialsFixture) {
  const { password, secretId } = await credentials.create({ id: FLEET, createdBy: "test" });
  const agent = new FakeAgent("a", FLEET, password);
  return { agent, secretId, session: await clients.connect(credentials, agent) };
}

/** Nothing of it opens anything, and nobody is connected. */
async function expectShutOut(fixture: CredentialsFixture, agent: FakeAgent): Promise<void> {
  const { credentials, clients } = fixture;
  await eventually(() => expect(clients.presence.locate(agent.clientId)).toBeUndefined());
  await eventually(() => {
    expect(credentials.secrets(FLEET).filter(({ state }) => state !== "revoked")).toEqual([]);
  });
  await expect(clients.connect(credentials, agent)).rejects.toThrow();
  await expect(clients.connect(await fixture.crash(), agent)).rejects.toThrow();
}

describe("C-36: a secret that is revoked while its host is handed the next one", () => {
  it("takes the next one along that is on its way to the disk", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { agent, secretId, session } = await oneHost(fixture);
    await credentials.rotations.start(FLEET, HOUR_MS);
    const report = await credentials.revocations.secret(FLEET, secretId);
    expect(report.disconnected).toBe(1);
    expect(session.cutReason).toMatch(/revoked/);
    await expectShutOut(fixture, agent);
  });

  it("when the next one gets to the disk only after the revocation: it is never offered", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { agent, secretId } = await oneHost(fixture);
    const offers = vi.fn(agent.onOffer);
    agent.onOffer = offers;
    const minted = fixture.edits.hold((edit) => edit.kind === "add");
    await credentials.rotations.start(FLEET, HOUR_MS);
    await minted.arrived;
    await credentials.revocations.secret(FLEET, secretId);
    minted.goOn();
    await expectShutOut(fixture, agent);
    expect(offers).not.toHaveBeenCalled();
  });

  it("ends the session of a host that has just confirmed the next one", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { agent, secretId, session } = await oneHost(fixture);
    const isStored = (edit: Edit) => edit.kind === "shifted" && edit.to.state === "stored";
    const stored = fixture.edits.hold(isStored);
    const revoked = fixture.edits.hold(({ kind }) => kind === "revoke");
    await credentials.rotations.start(FLEET, HOUR_MS);
    await stored.arrived;
    const revocation = credentials.revocations.secret(FLEET, secretId);
    await revoked.arrived;
    expect(session.cutReason).toMatch(/revoked/);
    stored.goOn();
    revoked.goOn();
    expect(await revocation).toMatchObject({ disconnected: 1, offline: [] });
    await expectShutOut(fixture, agent);
  });

  it("is never offered the next one when the host itself is revoked, nor keeps it", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { agent } = await oneHost(fixture);
    const offers = vi.fn(agent.onOffer);
    agent.onOffer = offers;
    const minted = fixture.edits.hold((edit) => edit.kind === "add");
    await credentials.rotations.start(FLEET, HOUR_MS);
    await minted.arrived;
    await credentials.revocations.client(agent.clientId);
    const removed = fixture.edits.hold(({ kind }) => kind === "remove");
    minted.goOn();
    await removed.arrived;
    removed.goOn();
    await eventually(() => {
      expect(credentials.secrets(FLEET).filter((row) => row.client_id !== null)).toEqual([]);
    });
    expect(offers).not.toHaveBeenCalled();
  });

  it("leaves a host alone that had moved before", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { agent, secretId, session } = await oneHost(fixture);
    await credentials.rotations.start(FLEET, HOUR_MS);
    await eventually(() => expect(credentials.get(FLEET)?.rotation?.moved).toBe(1));
    await credentials.revocations.secret(FLEET, secretId);
    expect(session.cutReason).toBeUndefined();
    await clients.connect(credentials, agent);
  });
});
