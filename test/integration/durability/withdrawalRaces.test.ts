import { setImmediate } from "node:timers/promises";
import { ADMINISTRATORS, NO_PERMISSIONS } from "@rport/protocol/people/right";
import { tokenPrefixSchema } from "@rport/protocol/people/token";
import { groupNameSchema, userNameSchema } from "@rport/protocol/people/user";
import { Secret, TOTP } from "otpauth";
import { beforeAll, describe, expect, it } from "vitest";
import { scryptVerifier } from "../../../backend/src/passwords/verifier.ts";
import type { PasswordRecord } from "../../../backend/src/store/records/userRecord.ts";
import { type Actor, localActor } from "../../../backend/src/users/actor.ts";
import { groups, userRecord } from "../../support/backend/people.ts";
import {
  type GatedPeopleFixture,
  openGatedPeople,
  type PeopleProcess,
} from "../../support/backend/storedPeople.ts";

const ANNA = userNameSchema.parse("anna");
const PASSWORD = "a long password of anna's";
const FROM = { address: "192.0.2.7", isShared: false, userAgent: "", lifetimeS: undefined };
/** Sessions of one user. */
const SESSIONS_MAX = 50;
const root = localActor({ tokenId: "t", name: "local", ended: new AbortController().signal });
const salt = Buffer.alloc(16, 1);
let kept: PasswordRecord;

beforeAll(async () => {
  const verifier = (await scryptVerifier(PASSWORD, salt)).toString("base64url");
  kept = { scheme: "scrypt", salt: salt.toString("base64url"), verifier };
});

/** Anna, as she is signed in: with a token, a session, and one that owes a code. */
interface Scene {
  readonly fixture: GatedPeopleFixture;
  readonly process: PeopleProcess;
  readonly byToken: Actor;
  readonly bySession: Actor;
  readonly owing: Actor;
  readonly recoveryCode: string;
  /** Another token of hers. */
  readonly other: string;
}

/** Answers with a secret, where it makes one. */
type Race = (scene: Scene) => Promise<string | undefined>;

/** What may be on its way to the disk. */
const MAKING: Readonly<Record<string, Race>> = {
  "a token made with a token": async ({ process, byToken }) =>
    (await process.accounts.personalTokens.createBy(byToken, facts("child"))).token,
  "a token made with a session": async ({ process, bySession }) =>
    (await process.accounts.personalTokens.createBy(bySession, facts("own"))).token,
  "a token that an administrator makes": async ({ process }) =>
    (await process.accounts.personalTokens.create(ANNA, facts("given"))).token,
  "a token that another one changes": async ({ process, byToken, other }) => {
    const to = { name: "changed", expires_at: "2030-06-01T00:00:00.000Z" };
    await process.accounts.personalTokens.changeBy(byToken, prefixOf(other), to);
    return undefined;
  },
  "a session after its code": async ({ process, owing, recoveryCode }) => {
    const shown = { username: ANNA, token: recoveryCode };
    return await process.accounts.signIn.withCode(owing, shown, FROM);
  },
  "a password that is shown": async ({ process }) =>
    (await process.accounts.signIn.withPassword({ username: ANNA, password: PASSWORD }, FROM))
      .token,
  "another password": async ({ process, bySession }) => {
    const change = { password: "another long password", old_password: PASSWORD };
    await process.accounts.own.change(bySession, change, FROM);
    return undefined;
  },
  "another password by an administrator": async ({ process }) => {
    const change = { display_name: "Anna B.", password: "another long password" };
    await process.administration.update(ANNA, { ...change, ...unsaid }, root);
    return undefined;
  },
  "the second factor that is taken away": async ({ process }) => {
    await process.administration.removeTotp(ANNA);
    return undefined;
  },
};
const unsaid = { password_expired: undefined, two_fa_send_to: undefined };

/** What takes something away, and is in force before it is written; and what it takes. */
const ENDING: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  "the token ends": ({ process, byToken }) =>
    process.accounts.entrances.endToken(ANNA, tokenPrefixSchema.parse(byToken.tokenId)),
  "the session that owes the code ends": ({ process, owing }) =>
    process.accounts.entrances.endSession(ANNA, Number(owing.tokenId)),
  "all sessions end": ({ process }) => process.accounts.entrances.endSessions(ANNA),
  "the user is disabled": ({ process }) => process.administration.disable(ANNA),
  "the user is deleted": ({ process }) => process.administration.remove(ANNA),
};

/** What is made with something that ends opens nothing then. */
const MADE_WITH: Readonly<Record<string, readonly string[]>> = {
  "the token ends": ["a token made with a token"],
  "the session that owes the code ends": ["a session after its code"],
  "all sessions end": ["a session after its code"],
  "the user is disabled": Object.keys(MAKING),
  "the user is deleted": Object.keys(MAKING),
};

function facts(name: string) {
  return { name, scope: "read+write" as const };
}

function prefixOf(token: string) {
  return tokenPrefixSchema.parse(token.split("_")[0]);
}

async function setUp(): Promise<Scene> {
  const fixture = await openGatedPeople();
  const { first: process } = fixture;
  const { edits, personalTokens, sessions, ownFactor } = process.accounts;
  await edits.commit([
    { kind: "addUser", record: userRecord("root", { groups: groups(ADMINISTRATORS) }) },
    { kind: "addUser", record: userRecord("anna", { password: kept }) },
  ]);
  const { token } = await personalTokens.create(ANNA, facts("script"));
  const soon = { ...facts("other"), expires_at: "2030-02-01T00:00:00.000Z" };
  const { token: other } = await personalTokens.create(ANNA, soon);
  const byToken = await actorOf(process, token);
  const { token: full } = await sessions.begin({ ...FROM, user: ANNA, scope: "full" });
  const bySession = await actorOf(process, full);
  const factor = await ownFactor.create(bySession, undefined, FROM);
  await ownFactor.confirm(bySession, codeOf(factor.secret, fixture), FROM);
  const half = await sessions.begin({ ...FROM, user: ANNA, scope: "second-factor" });
  const owing = await actorOf(process, half.token);
  const [recoveryCode = ""] = factor.recovery_codes;
  return { fixture, process, byToken, bySession, owing, recoveryCode, other };
}

/** Whoever this token shows. */
async function actorOf({ accounts }: PeopleProcess, secret: string): Promise<Actor> {
  const checked = await checkOf(accounts, secret);
  if (checked?.kind !== "actor") throw new Error("the token shows nobody");
  return checked.actor;
}

async function checkOf({ personalTokens, sessions }: PeopleProcess["accounts"], secret: string) {
  return (
    personalTokens.check({ secret, name: undefined }, FROM.address) ??
    (await sessions.check(secret, FROM.address))
  );
}

function codeOf(secret: string, { clock }: GatedPeopleFixture): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock.now() });
}

/** Everything of everybody, without times of use, which may be lost. */
function everybody({ accounts }: PeopleProcess): unknown {
  return accounts.ledger.all().map((entry) => ({
    record: entry.record,
    tokens: entry
      .tokens()
      .map(({ last_used_at: _at, last_used_from: _from, ...token }) => token)
      .sort((one, other) => (one.prefix < other.prefix ? -1 : 1)),
    sessions: entry
      .sessions()
      .map(({ session_id: id, scope, created_at: at }) => ({ id, scope, at }))
      .sort((one, other) => one.id - other.id),
  }));
}

/** Which of the two asks first, and whether something else is being written then. */
const ORDERS = ["making first", "ending first", "making behind", "ending behind"] as const;

/** Something else that is being written, so that what is asked for next shares one writing. */
function blocker({ process }: Scene): Promise<void> {
  const record = { name: groupNameSchema.parse("others"), permissions: NO_PERMISSIONS };
  return process.accounts.edits.commit([{ kind: "putGroup", record }]);
}

/** A secret that somebody was told, and whether what should have ended it was answered. */
interface Told {
  secret?: string | undefined;
  isEnded: boolean;
}

type Run = readonly [Race, (scene: Scene) => Promise<unknown>, (typeof ORDERS)[number]];

/** Runs the two; at each writing that is in the file and nobody knows of, `look` sees what a kill would leave. */
async function race(
  scene: Scene,
  [making, ending, order]: Run,
  look: (told: Told) => Promise<void>,
): Promise<Told> {
  const { gate } = scene.fixture;
  const told: Told = { isEnded: false };
  const make = async () => {
    told.secret = await making(scene).catch(() => undefined);
  };
  const end = async () => {
    await ending(scene);
    told.isEnded = true;
  };
  gate.shut();
  const running: Promise<unknown>[] = order.endsWith("behind") ? [blocker(scene)] : [];
  const jobs = order.startsWith("making") ? [make, end] : [end, make];
  for (const job of jobs) {
    const isFirst = running.length === 0;
    running.push(job());
    if (isFirst) await Promise.race([gate.arrived, running[0]]);
    else await setImmediate();
  }
  const both = Promise.all(running);
  let isDone = false;
  void both.then(() => {
    isDone = true;
  });
  while (!isDone) {
    gate.openOnce();
    await Promise.race([both, gate.arrived]);
    await look(told);
  }
  gate.open();
  await both;
  return told;
}

it("a session that makes room does so on disk, too, whichever is used while that is written", async () => {
  await using fixture = await openGatedPeople();
  const { first: process, gate, clock } = fixture;
  const { edits, sessions } = process.accounts;
  await edits.commit([{ kind: "addUser", record: userRecord("anna", {}) }]);
  const begin = () => sessions.begin({ ...FROM, user: ANNA, scope: "full", lifetimeS: 86_400 });
  const begun: string[] = [];
  while (begun.length < SESSIONS_MAX) {
    begun.push((await begin()).token);
    clock.advance(2_000);
  }
  gate.shut();
  const [oldest = ""] = begun;
  const beginning = begin();
  await gate.arrived;
  expect((await sessions.check(oldest, FROM.address))?.kind).toBe("actor");
  gate.open();
  await beginning;
  expect(await sessions.check(oldest, FROM.address)).toMatchObject({ kind: "ended" });
  expect(everybody(await fixture.restart())).toEqual(everybody(process));
});

describe.each(Object.keys(MAKING))(
  "while something is taken away and before it is written: %s",
  (name) => {
    const making = MAKING[name];

    it.each(Object.keys(ENDING))(
      "memory and disk agree, and nothing comes back: %s",
      async (what) => {
        const ending = ENDING[what];
        if (making === undefined || ending === undefined) throw new Error("there is no such race");
        for (const order of ORDERS) {
          const scene = await setUp();
          await using fixture = scene.fixture;
          const opens = async (process: PeopleProcess, secret: string | undefined) =>
            secret !== undefined && (await checkOf(process.accounts, secret))?.kind === "actor";
          const look = async ({ secret, isEnded }: Told) => {
            const next = await fixture.restart();
            const isBack = (await opens(next, secret)) && !(await opens(scene.process, secret));
            expect([order, isBack && isEnded]).toEqual([order, false]);
          };
          const { secret } = await race(scene, [making, ending, order], look);
          const next = await fixture.restart();
          expect([order, everybody(next)]).toEqual([order, everybody(scene.process)]);
          const works = await opens(scene.process, secret);
          expect([order, await opens(next, secret)]).toEqual([order, works]);
          if (MADE_WITH[what]?.includes(name)) expect([order, works]).toEqual([order, false]);
        }
      },
    );
  },
);
