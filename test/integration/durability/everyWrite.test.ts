import { isDeepStrictEqual } from "node:util";
import { RportError } from "@rport/protocol/errors";
import type { SecretId } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import type { Credentials } from "../../../backend/src/credentials/credentials.ts";
import type { CredentialsFixture } from "../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../support/backend/credentials.ts";
import { keyless } from "../../support/backend/newcomer.ts";
import { FakeAgent } from "../../support/backend/sessions.ts";
import type { FaultyDisk, WriteFate } from "../../support/faults/faultyDisk.ts";

const FLEET = authId("fleet");
const ADDRESS = "192.0.2.7";
const HOUR_MS = 3_600_000;
/** More than any change has. */
const WRITES_MAX = 10;

interface Known {
  readonly password: string;
  readonly secretId: SecretId;
  readonly own: FakeAgent;
}

/** A credential with a host that is away, on a secret of its own. */
async function setUp({ credentials, clients, clock }: CredentialsFixture): Promise<Known> {
  const { password, secretId } = await credentials.create({ id: FLEET, createdBy: "test" });
  const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + HOUR_MS);
  const own = new FakeAgent("own", FLEET, minted?.secret ?? "");
  (await clients.connect(credentials, own)).cut("away");
  await credentials.close();
  return { password, secretId, own };
}

type Change = (credentials: Credentials, known: Known) => Promise<unknown>;

const remove = (purge: boolean): Change => {
  return (credentials) => credentials.removals.remove(FLEET, { force: true, purge });
};
const rotate: Change = (credentials) => credentials.rotations.start(FLEET, undefined);

/**
 * Each change, and what has to be there before it. What a crash leaves of the claim is finished by
 * the same host, when it comes back.
 */
const CHANGES: readonly [string, Change, Change?, Change?][] = [
  ["create", (credentials) => credentials.create({ id: "later", createdBy: "test" })],
  ["add a secret", (credentials) => credentials.addSecret(FLEET)],
  ["change", (credentials) => credentials.update(FLEET, { label: "new", kind: "host" })],
  ["mint for a pairing", (credentials) => credentials.mintForPairing(FLEET, 2, 4e12)],
  ["claim", claim, mintForOwn, claim],
  ["revoke a secret", (credentials, one) => credentials.revocations.secret(FLEET, one.secretId)],
  ["revoke a host", (credentials, { own }) => credentials.revocations.client(own.clientId)],
  ["rotate", rotate],
  ["finish", (credentials) => credentials.rotations.finish(FLEET), rotate],
  ["cancel", (credentials) => credentials.rotations.abandon(FLEET), rotate],
  ["delete", remove(false)],
  ["delete with the records", remove(true)],
  [
    "purge what is unused",
    purge,
    (credentials) => credentials.create({ id: "unused", createdBy: "test" }),
  ],
];

/** What it failed with stands in the answer. */
async function purge(credentials: Credentials): Promise<void> {
  const { failed } = await credentials.purge.run();
  for (const { error } of failed) throw error;
}

/** The host is paired anew: its next login binds a fresh secret and retires the one before. */
async function mintForOwn(credentials: Credentials, { own }: Known): Promise<void> {
  const [minted] = await credentials.mintForPairing(FLEET, 1, 4e12);
  own.password = minted?.secret ?? "";
}

async function claim(credentials: Credentials, { own }: Known) {
  const { authId: id, password, clientId } = own;
  const login = await credentials.login(id, password, ADDRESS);
  if (login.kind === "refused") throw new Error(login.why);
  return await credentials.admit(login, keyless(clientId));
}

/** All that people and hosts can tell, without what is new each time. */
async function shown(credentials: Credentials, known: Known): Promise<unknown> {
  const open = async (password: string) =>
    (await credentials.login(FLEET, password, ADDRESS)).kind === "accepted";
  const others = ["later", "unused"].map(authId);
  // One that nothing opens is half a credential.
  const ids = others
    .filter((id) => credentials.get(id) !== undefined)
    .map((id) => `${id} with ${credentials.secrets(id).length}`);
  const view = credentials.get(FLEET);
  const secrets = credentials.secrets(FLEET);
  return {
    ids,
    label: view?.label,
    kind: view?.kind,
    isRotating: view?.rotation != null,
    secrets: secrets.map(({ origin, state, client_id: client }) => `${origin} ${state} ${client}`),
    opens: [await open(known.password), await open(known.own.password)],
  };
}

interface Run extends AsyncDisposable {
  readonly fixture: CredentialsFixture;
  readonly known: Known;
  readonly disk: FaultyDisk;
  readonly before: unknown;
}

async function begin(prepare: Change | undefined): Promise<Run> {
  const fixture = await openCredentials();
  const known = await setUp(fixture);
  await prepare?.(fixture.credentials, known);
  await fixture.credentials.close();
  const before = await shown(fixture.credentials, known);
  const { disk } = fixture;
  disk.decide(() => "done");
  const dispose = () => fixture[Symbol.asyncDispose]();
  return { fixture, known, disk, before, [Symbol.asyncDispose]: dispose };
}

/** How many writes a change has, and what is shown after it. */
async function whole(change: Change, prepare: Change | undefined) {
  await using run = await begin(prepare);
  await change(run.fixture.credentials, run.known);
  const { count } = run.disk;
  const again = await run.fixture.crash();
  return { count, after: await shown(again, run.known) };
}

/** The codes under which a disk may refuse; undefined: the change was answered. */
async function outcomeOf(change: Promise<unknown>): Promise<string | undefined> {
  try {
    await change;
    return undefined;
  } catch (caught) {
    return RportError.from(caught).code;
  }
}

/** What the next process finds, once it has finished what is finished by coming back. */
async function foundBy(run: Run, allowed: readonly unknown[], finish?: Change): Promise<unknown> {
  const again = await run.fixture.crash();
  const found = await shown(again, run.known);
  if (finish === undefined || allowed.some((one) => isDeepStrictEqual(one, found))) return found;
  await finish(again, run.known);
  return await shown(again, run.known);
}

describe.each(CHANGES)("a crash or a full disk at each write of: %s", (...row) => {
  const [, change, prepare, finish] = row;

  it("D-03, D-04: killed before or after it: the next process finds the state before or after", async () => {
    const { count, after } = await whole(change, prepare);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(WRITES_MAX);
    for (let at = 1; at <= count; at += 1) {
      for (const fate of ["killed-before", "killed-after"] as const satisfies WriteFate[]) {
        await using run = await begin(prepare);
        run.disk.decide((n) => (n >= at ? fate : "done"));
        void change(run.fixture.credentials, run.known).catch(() => undefined);
        await run.disk.killed;
        const found = await foundBy(run, [run.before, after], finish);
        expect([run.before, after]).toContainEqual(found);
        if (fate === "killed-before" && at === 1) expect(found).toEqual(run.before);
        if (fate === "killed-after" && at === count) expect(found).toEqual(after);
      }
    }
  });

  it("D-04, F-15: no room for it: refused as a whole, or in force and said to be not durable", async () => {
    const { count, after } = await whole(change, prepare);
    for (let at = 1; at <= count; at += 1) {
      await using run = await begin(prepare);
      const { credentials } = run.fixture;
      run.disk.decide((n) => (n >= at ? "full" : "done"));
      const code = await outcomeOf(change(credentials, run.known));
      expect(["DISK_FULL", "NOT_DURABLE", undefined]).toContain(code);
      const here = await shown(credentials, run.known);
      if (code === "DISK_FULL") expect(here).toEqual(run.before);
      else expect(here).toMatchObject({ opens: (after as { opens: boolean[] }).opens });
      const found = await foundBy(run, [run.before, after], finish);
      expect([run.before, after]).toContainEqual(found);
      // Nobody is told that it is done when a restart takes it back.
      if (code === undefined)
        expect(found).toMatchObject({ opens: (after as { opens: boolean[] }).opens });
    }
  });
});
