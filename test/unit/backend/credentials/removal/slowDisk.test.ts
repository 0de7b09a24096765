import { describe, expect, it } from "vitest";
import type { Credentials } from "../../../../../backend/src/credentials/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent, fakeAgents } from "../../../../support/backend/sessions.ts";
import type { IsEdit } from "../../../../support/faults/faultyStore.ts";

const FLEET = authId("fleet");
const FORCE = { force: true, purge: false };

type Take = (credentials: Credentials, agent: FakeAgent) => Promise<unknown>;

const secretIdOf = (credentials: Credentials) => credentials.secrets(FLEET)[0]?.id ?? ("" as never);

/** What takes rights away, and the write that makes it durable. */
const TAKES: readonly [string, Take, IsEdit][] = [
  [
    "the revocation of a secret",
    (credentials) => credentials.revocations.secret(FLEET, secretIdOf(credentials)),
    ({ kind }) => kind === "revoke",
  ],
  [
    "the revocation of a host",
    (credentials, { clientId }) => credentials.revocations.client(clientId),
    (edit) => edit.kind === "seen" && edit.record.revoked_at !== null,
  ],
  [
    "a deletion",
    (credentials) => credentials.removals.remove(FLEET, FORCE),
    ({ kind }) => kind === "mark",
  ],
];

describe.each(TAKES)("C-36: %s on a disk that takes its time", (_, take, isIt) => {
  it("cuts and refuses before the disk has written anything, and is answered after that", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, edits } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const agent = new FakeAgent("web", FLEET, password);
    const session = await clients.connect(credentials, agent);
    const written = edits.hold(isIt);
    const events: string[] = [];
    const taking = take(credentials, agent).then(() => events.push("answered"));
    await written.arrived;
    expect(session.cutReason).toBeDefined();
    await expect(clients.connect(credentials, agent)).rejects.toThrow(/revoked|deleted/);
    events.push("written");
    written.goOn();
    await taking;
    expect(events).toEqual(["written", "answered"]);
  });

  it("that dies before it has written: the next process knows nothing of it, and nobody was told", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, edits } = fixture;
    const { id, password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const [agent, other] = fakeAgents(["web", "other"], { id, password });
    await clients.connect(credentials, agent);
    const died = edits.stopAt("before", isIt);
    let isAnswered = false;
    void take(credentials, agent).then(() => {
      isAnswered = true;
    });
    await died;
    const again = await fixture.crash();
    await clients.connect(again, other);
    expect(isAnswered).toBe(false);
  });
});
