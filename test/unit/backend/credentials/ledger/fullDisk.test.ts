import { describe, expect, it } from "vitest";
import type { Credentials } from "../../../../../backend/src/credentials/credentials.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET = authId("fleet");
const ADDRESS = "192.0.2.7";
const RETRY_MS = 5_000;
const FORCE = { force: true, purge: false };

/** A host on the credential's first secret, connected. */
async function host({ credentials, clients }: CredentialsFixture) {
  const { password, secretId } = await credentials.create({ id: FLEET, createdBy: "test" });
  const agent = new FakeAgent("a", FLEET, password);
  agent.isShiftable = false;
  const session = await clients.connect(credentials, agent);
  return { agent, password, secretId, session };
}

const isLetIn = async (credentials: Credentials, password: string) =>
  (await credentials.login(FLEET, password, ADDRESS)).kind === "accepted";

const isTold = ({ logLines }: CredentialsFixture, text: string) =>
  eventually(() => expect(logLines.join("")).toContain(text));

type Host = Awaited<ReturnType<typeof host>>;
type Take = (credentials: Credentials, one: Host) => Promise<unknown>;

/** What takes a right away, and what has to be there before. */
const TAKES: readonly [string, Take, ((credentials: Credentials) => Promise<unknown>)?][] = [
  ["deleting a credential", (credentials) => credentials.removals.remove(FLEET, FORCE)],
  ["purging one", (credentials) => credentials.removals.remove(FLEET, { ...FORCE, purge: true })],
  ["revoking a secret", (credentials, one) => credentials.revocations.secret(FLEET, one.secretId)],
  [
    "finishing a rotation",
    (credentials) => credentials.rotations.finish(FLEET),
    (credentials) => credentials.rotations.start(FLEET, undefined),
  ],
];

describe("F-15: on a full disk", () => {
  it.each(TAKES)(
    "%s cuts and refuses at once, says that it is not durable, and becomes so when there is space",
    async (_, take, prepare) => {
      await using fixture = await openCredentials();
      const { credentials, clock } = fixture;
      const one = await host(fixture);
      await prepare?.(credentials);
      const { disk } = fixture;
      disk.fill();
      await expect(take(credentials, one)).rejects.toMatchObject({
        code: "NOT_DURABLE",
        message: expect.stringContaining("disk is full"),
        detail: expect.stringContaining("restart"),
      });
      expect(one.session.cutReason).toBeDefined();
      expect(await isLetIn(credentials, one.password)).toBe(false);
      clock.advance(RETRY_MS);
      await isTold(fixture, "still not durable");
      expect(await isLetIn(credentials, one.password)).toBe(false);

      disk.empty();
      clock.advance(RETRY_MS);
      await isTold(fixture, "on disk now");
      expect(await isLetIn(credentials, one.password)).toBe(false);
      const again = await fixture.crash();
      expect(await isLetIn(again, one.password)).toBe(false);
      expect(again.get(FLEET)?.rotation ?? null).toBeNull();
    },
  );

  it.each(TAKES)("%s is undone by a restart before there is space, as was said", async (...row) => {
    const [, take, prepare] = row;
    await using fixture = await openCredentials();
    const one = await host(fixture);
    await prepare?.(fixture.credentials);
    const { disk } = fixture;
    disk.fill();
    await expect(take(fixture.credentials, one)).rejects.toMatchObject({ code: "NOT_DURABLE" });
    disk.empty();
    const again = await fixture.crash();
    expect(await isLetIn(again, one.password)).toBe(true);
    await fixture.clients.connect(again, one.agent);
    await take(again, one);
    expect(await isLetIn(await fixture.crash(), one.password)).toBe(false);
  });

  it("what is owed is written at a stop, when there is space by then", async () => {
    await using fixture = await openCredentials();
    const one = await host(fixture);
    const { disk } = fixture;
    disk.fill();
    await expect(fixture.credentials.removals.remove(FLEET, FORCE)).rejects.toThrow("not durable");
    disk.empty();
    await fixture.credentials.close();
    const again = await fixture.crash();
    expect(await isLetIn(again, one.password)).toBe(false);
    expect(again.get(FLEET)).toBeUndefined();
  });

  it("a deletion that was repeated by hand does not hit the next credential of that name", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    await host(fixture);
    const { disk } = fixture;
    disk.fill();
    await expect(credentials.removals.remove(FLEET, FORCE)).rejects.toThrow("not durable");
    disk.empty();
    expect(await credentials.removals.remove(FLEET, FORCE)).toMatchObject({ disconnected: 0 });
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    clock.advance(RETRY_MS);
    await isTold(fixture, "on disk now");
    expect(await isLetIn(credentials, password)).toBe(true);
    expect(await isLetIn(await fixture.crash(), password)).toBe(true);
  });

  it("the end of a rotation that is written late leaves the next rotation under way", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    const one = await host(fixture);
    await credentials.rotations.start(FLEET, undefined);
    const { disk } = fixture;
    disk.fill();
    await expect(credentials.rotations.finish(FLEET)).rejects.toThrow("not durable");
    disk.empty();
    const { password } = await credentials.addSecret(FLEET);
    await fixture.clients.connect(credentials, new FakeAgent("b", FLEET, password));
    const other = new FakeAgent("away", FLEET, password);
    (await fixture.clients.connect(credentials, other)).cut("away");
    await credentials.rotations.start(FLEET, undefined);
    clock.advance(RETRY_MS);
    await isTold(fixture, "on disk now");
    const again = await fixture.crash();
    expect(again.get(FLEET)?.rotation).not.toBeNull();
    expect(await isLetIn(again, one.password)).toBe(false);
    expect(await isLetIn(again, password)).toBe(true);
  });
});
