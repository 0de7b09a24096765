import { isDeepStrictEqual } from "node:util";
import { RportError } from "@rport/protocol/errors";
import { ADMINISTRATORS, permissionsSchema } from "@rport/protocol/people/right";
import { tokenPrefixSchema } from "@rport/protocol/people/token";
import { groupNameSchema, userNameSchema } from "@rport/protocol/people/user";
import { Secret, TOTP } from "otpauth";
import { beforeAll, describe, expect, it } from "vitest";
import { scryptVerifier } from "../../../backend/src/passwords/verifier.ts";
import { clientGroupRecordSchema } from "../../../backend/src/store/records/clientGroupRecord.ts";
import type { PasswordRecord } from "../../../backend/src/store/records/userRecord.ts";
import { localActor } from "../../../backend/src/users/actor.ts";
import { groups, userRecord } from "../../support/backend/people.ts";
import {
  HOST,
  openPeople,
  type PeopleProcess,
  type StoredPeopleFixture,
} from "../../support/backend/storedPeople.ts";
import { eventually } from "../../support/eventually.ts";
import type { WriteFate } from "../../support/faults/faultyDisk.ts";

const ANNA = userNameSchema.parse("anna");
const PASSWORD = "a long password of anna's";
const FROM = { address: "192.0.2.7", isShared: false, userAgent: "", lifetimeS: undefined };
const OPERATORS = groupNameSchema.parse("operators");
const PERIOD_MS = 30_000;
/** More than any change has. */
const WRITES_MAX = 5;
/** Longer than until a write that is owed is tried again. */
const RETRY_MS = 60_000;

const root = localActor({ tokenId: "t", name: "local", ended: new AbortController().signal });
const salt = Buffer.alloc(16, 1);
let kept: PasswordRecord;

beforeAll(async () => {
  const verifier = (await scryptVerifier(PASSWORD, salt)).toString("base64url");
  kept = { scheme: "scrypt", salt: salt.toString("base64url"), verifier };
});

/** What anna has, and what a preparation has found out. */
interface Known {
  readonly clock: StoredPeopleFixture["clock"];
  readonly token: string;
  readonly session: string;
  readonly sessionId: number;
  factor: Awaited<ReturnType<PeopleProcess["accounts"]["ownFactor"]["create"]>> | undefined;
  /** Of a session that owes a code. */
  owing: string;
  code: string;
}
type Change = (process: PeopleProcess, known: Known) => Promise<unknown>;

/** An administrator, and anna with a password, a token and a session. */
async function setUp({ first, clock }: StoredPeopleFixture): Promise<Known> {
  const { edits, personalTokens, sessions } = first.accounts;
  const record = { name: OPERATORS, permissions: permissionsSchema.parse({ tunnels: true }) };
  await edits.commit([
    { kind: "putGroup", record },
    { kind: "addUser", record: userRecord("root", { groups: groups(ADMINISTRATORS) }) },
    { kind: "addUser", record: userRecord("anna", { password: kept }) },
  ]);
  const { token } = await personalTokens.create(ANNA, { name: "script", scope: "read+write" });
  const begun = await sessions.begin({ ...FROM, user: ANNA, scope: "full" });
  const shown = { session: begun.token, sessionId: Number(begun.id) };
  return { clock, token, ...shown, factor: undefined, owing: "", code: "" };
}

/** Whoever this token shows. */
async function actorOf({ accounts }: PeopleProcess, secret: string) {
  const { personalTokens, sessions } = accounts;
  const checked =
    personalTokens.check({ secret, name: undefined }, FROM.address) ??
    (await sessions.check(secret, FROM.address));
  if (checked?.kind !== "actor") throw new Error("the token shows nobody");
  return checked.actor;
}

const codeOf = ({ factor, clock }: Known): string =>
  new TOTP({ secret: Secret.fromBase32(factor?.secret ?? "") }).generate({
    timestamp: clock.now(),
  });
const createFactor: Change = async (process, known) => {
  const actor = await actorOf(process, known.token);
  known.factor = await process.accounts.ownFactor.create(actor, PASSWORD, FROM);
};
const confirmFactor: Change = async (process, known) => {
  const actor = await actorOf(process, known.token);
  await process.accounts.ownFactor.confirm(actor, codeOf(known), FROM);
};
const login: Change = (process) =>
  process.accounts.signIn.withPassword({ username: ANNA, password: PASSWORD }, FROM);

/** Anna has a second factor, has shown her password and owes a code. */
const oweCode: Change = async (process, known) => {
  await createFactor(process, known);
  await confirmFactor(process, known);
  const { signIn } = process.accounts;
  known.owing = (await signIn.withPassword({ username: ANNA, password: PASSWORD }, FROM)).token;
};
const showCode =
  (codeFor: (known: Known) => string): Change =>
  async (process, known) => {
    const actor = await actorOf(process, known.owing);
    const shown = { username: ANNA, token: codeFor(known) };
    await process.accounts.signIn.withCode(actor, shown, FROM);
  };
const invite: Change = async ({ invitations }, known) => {
  const facts = { groups: groups("operators"), displayName: "Bob", maker: root };
  known.code = invitations.create({ ...facts, isBacked: () => true }).code;
};
const accept: Change = (process, { code }) => process.accept(code, "bob", PASSWORD);
const prefixOf = ({ token }: Known) => tokenPrefixSchema.parse(token.split("_")[0]);
const disable: Change = ({ administration }) => administration.disable(ANNA);
const group = clientGroupRecordSchema.parse({
  id: "web",
  params: {},
  allowed_user_groups: ["operators"],
});
const facts = { display_name: "", password_expired: false, two_fa_send_to: "" };
const newcomer = { ...facts, username: userNameSchema.parse("carl"), password: PASSWORD };
const other = { display_name: "Anna B.", password: "another long password" };
const more = permissionsSchema.parse({ tunnels: true, vault: true });

/** Each change, and what has to be there before it. */
const CHANGES: readonly [string, Change, Change?][] = [
  [
    "createUser",
    ({ administration }) => administration.create({ ...newcomer, groups: [OPERATORS] }, root),
  ],
  [
    "updateUser",
    ({ administration }) => administration.update(ANNA, { ...other, groups: [OPERATORS] }, root),
  ],
  ["disableUser", disable],
  ["enableUser", ({ administration }) => administration.enable(ANNA), disable],
  ["deleteUser", ({ administration }) => administration.remove(ANNA)],
  [
    "createToken",
    ({ accounts }) =>
      accounts.personalTokens.create(ANNA, { name: "another", scope: "read" as const }),
  ],
  ["deleteToken", ({ accounts }, known) => accounts.personalTokens.end(ANNA, prefixOf(known))],
  ["login", login],
  ["logout", ({ accounts }, { sessionId }) => accounts.entrances.endSession(ANNA, sessionId)],
  ["deleteSessions", ({ accounts }) => accounts.entrances.endSessions(ANNA)],
  ["createTotpSecret", createFactor],
  ["confirmTotpSecret", confirmFactor, createFactor],
  [
    "verifySecondFactor with a code",
    showCode(codeOf),
    async (process, known) => {
      await oweCode(process, known);
      known.clock.advance(PERIOD_MS);
    },
  ],
  [
    "verifySecondFactor with a recovery code",
    showCode(({ factor }) => factor?.recovery_codes[0] ?? ""),
    oweCode,
  ],
  ["acceptInvitation", accept, invite],
  [
    "putUserGroup",
    ({ accounts }) =>
      accounts.edits.commit([{ kind: "putGroup", record: { name: OPERATORS, permissions: more } }]),
  ],
  ["setClientAcl", ({ access }) => access.setAcl(HOST, ["operators"])],
  ["putClientGroup", ({ access }) => access.put(group, () => {})],
];

/** All that people and scripts can tell, without what is new each time. */
async function shown(process: PeopleProcess, known: Known): Promise<unknown> {
  const { ledger, personalTokens, sessions } = process.accounts;
  const opens = [
    personalTokens.check({ secret: known.token, name: undefined }, FROM.address)?.kind,
    (await sessions.check(known.session, FROM.address))?.kind,
  ];
  const users = ledger.all().map((entry) => {
    const { username, display_name: name, groups: joined, disabled, totp } = entry.record;
    return {
      user: `${username} ${name} ${joined} ${disabled}`,
      isOldPassword: entry.record.password?.verifier === kept.verifier,
      factor: totp && [totp.confirmed, totp.last_step, totp.recovery_hashes.length],
      tokens: entry.tokens().map(({ name: token, ended_at: end }) => `${token} ${end}`),
      sessions: entry.sessions().map(({ scope }) => scope),
    };
  });
  return {
    users,
    opens,
    groups: ledger.groups(),
    clientGroups: ledger.clientGroups(),
    host: process.hostGroups(),
  };
}

interface Run extends AsyncDisposable {
  readonly fixture: StoredPeopleFixture;
  readonly known: Known;
  readonly before: unknown;
}

async function begin(prepare: Change | undefined): Promise<Run> {
  const fixture = await openPeople();
  const known = await setUp(fixture);
  await prepare?.(fixture.first, known);
  const before = await shown(fixture.first, known);
  fixture.disk.decide(() => "done");
  return { fixture, known, before, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() };
}

const found = async ({ fixture, known }: Run) => await shown(await fixture.restart(), known);

/** How many writes a change has, and what is shown after it, here and by the next process. */
async function whole(change: Change, prepare: Change | undefined) {
  await using run = await begin(prepare);
  await change(run.fixture.first, run.known);
  const { count } = run.fixture.disk;
  const after = await shown(run.fixture.first, run.known);
  expect(await found(run)).toEqual(after);
  expect(after).not.toEqual(run.before);
  return { count, after };
}

async function codeOfFailure(change: Promise<unknown>): Promise<string | undefined> {
  try {
    await change;
    return undefined;
  } catch (caught) {
    return RportError.from(caught).code;
  }
}

describe.each(CHANGES)("a crash or a full disk at each write of people: %s", (...row) => {
  const [, change, prepare] = row;

  it("D-03, D-04: killed before or after it: the next process finds the state before or after", async () => {
    const { count, after } = await whole(change, prepare);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(WRITES_MAX);
    for (let at = 1; at <= count; at += 1) {
      for (const fate of ["killed-before", "killed-after"] as const satisfies WriteFate[]) {
        await using run = await begin(prepare);
        run.fixture.disk.decide((n) => (n >= at ? fate : "done"));
        void change(run.fixture.first, run.known).catch(() => undefined);
        await run.fixture.disk.killed;
        const next = await found(run);
        expect([run.before, after]).toContainEqual(next);
        if (fate === "killed-before" && at === 1) expect(next).toEqual(run.before);
        if (fate === "killed-after" && at === count) expect(next).toEqual(after);
      }
    }
  });

  it("D-04, F-15: no room for it: refused as a whole, or in force, said to be not durable and written later", async () => {
    const { after } = await whole(change, prepare);
    await using run = await begin(prepare);
    const { first, disk, clock } = run.fixture;
    disk.fill();
    const code = await codeOfFailure(change(first, run.known));
    expect(["DISK_FULL", "NOT_DURABLE"]).toContain(code);
    const here = await shown(first, run.known);
    expect(here).toEqual(code === "DISK_FULL" ? run.before : after);
    expect(await found(run)).toEqual(run.before);
    disk.empty();
    if (code === "DISK_FULL") {
      await change(first, run.known);
      expect(await found(run)).toEqual(after);
      return;
    }
    clock.advance(RETRY_MS);
    await eventually(async () => expect(await found(run)).toEqual(after));
  });
});

it.each(["deleteUser", "deleteToken", "logout", "deleteSessions", "disableUser"])(
  "F-15: a full disk keeps nothing alive: %s is in force at once, and said to be not durable",
  async (name) => {
    const [, change] = CHANGES.find(([known]) => known === name) ?? [];
    if (change === undefined) throw new Error("no such change");
    await using run = await begin(undefined);
    const { first, disk } = run.fixture;
    disk.fill();
    expect(await codeOfFailure(change(first, run.known))).toBe("NOT_DURABLE");
    expect(isDeepStrictEqual(await shown(first, run.known), run.before)).toBe(false);
  },
);

it("F-15: of two administrators who are removed on a full disk, the last one stays", async () => {
  await using run = await begin(undefined);
  const { first, disk } = run.fixture;
  const other = userRecord("other", { groups: groups(ADMINISTRATORS) });
  await first.accounts.edits.commit([{ kind: "addUser", record: other }]);
  disk.fill();
  const remove = (name: string) => first.administration.remove(userNameSchema.parse(name));
  const codes = await Promise.all([remove("root"), remove("other")].map(codeOfFailure));
  expect(codes).toEqual(["NOT_DURABLE", "CONFLICT"]);
});

it("F-15: whom a full disk shut out stays shut out, and others are refused nothing for it", async () => {
  await using run = await begin(undefined);
  const { first, disk } = run.fixture;
  disk.fill();
  expect(await codeOfFailure(disable(first, run.known))).toBe("NOT_DURABLE");
  expect(await codeOfFailure(login(first, run.known))).toBe("UNAUTHORIZED");
  expect(isDeepStrictEqual(await shown(first, run.known), run.before)).toBe(false);
});
