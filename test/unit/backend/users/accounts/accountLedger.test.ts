import { ADMINISTRATORS, permissionsSchema } from "@rport/protocol/people/right";
import { groupNameSchema, userNameSchema } from "@rport/protocol/people/user";
import { describe, expect, it } from "vitest";
import type { UserChanges } from "../../../../../backend/src/store/edits/accountEdit.ts";
import type { Edit } from "../../../../../backend/src/store/edits/edit.ts";
import type { People } from "../../../../../backend/src/store/edits/personEdit.ts";
import { openStore } from "../../../../../backend/src/store/store.ts";
import { AccountLedger } from "../../../../../backend/src/users/accounts/accountLedger.ts";
import {
  BIRTH,
  groups,
  sessionRecord,
  tokenRecord,
  userRecord,
} from "../../../../support/backend/people.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { testLog } from "../../../../support/log.ts";
import { tempDirectory } from "../../../../support/tempDirectory.ts";

const ROOT = userRecord("root", { groups: groups(ADMINISTRATORS) });
const ANNA = userNameSchema.parse("anna");
const NOW_MS = Date.parse(BIRTH);
const OPS = groupNameSchema.parse("ops");
const TUNNELS = permissionsSchema.parse({ tunnels: true });

async function openLedger() {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await tempDirectory());
  const deps = { directory: directory.path, clock: new FakeClock(), log: testLog().log };
  const store = await openStore(deps);
  opened.defer(() => store.close());
  const ledger = AccountLedger.open(store.edits);
  const commit = (...edits: Edit[]) => store.edits.commit(edits);
  await commit({ kind: "addUser", record: ROOT }, { kind: "addUser", record: userRecord("anna") });
  await commit({ kind: "putGroup", record: { name: OPS, permissions: TUNNELS } });
  const closing = opened.move();
  return {
    ledger,
    commit,
    /** What is on disk, as another program would read it. */
    onDisk: () => store.document.data,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function changeOf(to: UserChanges): Edit {
  return { kind: "changeUser", user: ROOT.username, atMs: NOW_MS, to };
}

function sessionOf(id: number): Edit {
  return { kind: "addSession", user: ANNA, record: sessionRecord("anna", id) };
}

function actorOf(ledger: AccountLedger) {
  const entry = ledger.ownerOfToken("00000001");
  const record = entry?.token("00000001");
  if (entry === undefined || record === undefined) throw new Error("no token");
  return ledger.actors.ofToken(entry, record);
}

/** What the ledger has, in the form of the document. */
function inMemory(ledger: AccountLedger) {
  const all = ledger.all();
  return {
    users: all.map(({ record }) => record),
    tokens: all.flatMap((entry) => entry.tokens()),
    sessions: all.flatMap((entry) => entry.sessions()),
    user_groups: ledger.groups(),
    client_groups: ledger.clientGroups(),
  };
}

function sorted({ users, tokens, sessions, user_groups, client_groups }: People) {
  const people = { users, tokens, sessions, user_groups, client_groups };
  const byText = (list: readonly unknown[]) => list.map((one) => JSON.stringify(one)).toSorted();
  return Object.fromEntries(Object.entries(people).map(([name, list]) => [name, byText(list)]));
}

describe("the ledger of accounts", () => {
  it("is in memory what is on disk, whatever was changed", async () => {
    await using tried = await openLedger();
    const { ledger, commit, onDisk } = tried;
    await commit({ kind: "putGroup", record: { name: OPS, permissions: TUNNELS } });
    const [one, two] = [tokenRecord("anna", 1), tokenRecord("anna", 2)];
    await commit({ kind: "addToken", user: ANNA, record: one });
    await commit({ kind: "addToken", user: ANNA, record: two });
    await commit(...Array.from({ length: 60 }, (_, id) => sessionOf(id + 1)));
    const use = { prefix: two.prefix, atMs: NOW_MS + 5, from: "192.0.2.9" };
    await commit({ kind: "uses", tokens: [use], sessions: [] });
    await commit({ kind: "endToken", user: ANNA, prefix: one.prefix, atMs: NOW_MS });
    const to = { username: userNameSchema.parse("Anna B"), groups: [OPS] };
    await commit({ kind: "changeUser", user: ANNA, atMs: NOW_MS, to });
    expect(sorted(inMemory(ledger))).toEqual(sorted(onDisk()));
    expect(ledger.get("Anna B")?.sessions()).toHaveLength(50);
    expect(ledger.get("anna")).toBeUndefined();
    await commit({ kind: "removeGroup", group: OPS });
    await commit({ kind: "removeUser", user: to.username });
    expect(sorted(inMemory(ledger))).toEqual(sorted(onDisk()));
    expect(onDisk().tokens).toEqual([]);
  });

  it("puts nobody into a group that was removed meanwhile", async () => {
    await using tried = await openLedger();
    const { ledger, commit } = tried;
    const joins: Edit = { kind: "changeUser", user: ANNA, atMs: NOW_MS, to: { groups: [OPS] } };
    const [removed, joined] = await Promise.allSettled([
      commit({ kind: "removeGroup", group: OPS }),
      commit(joins),
    ]);
    expect([removed.status, joined.status]).toEqual(["fulfilled", "rejected"]);
    await commit({ kind: "putGroup", record: { name: OPS, permissions: TUNNELS } });
    expect(ledger.get("anna")?.record.groups).toEqual([]);
  });

  it("keeps both changes of two administrators who change the same user", async () => {
    await using tried = await openLedger();
    const { ledger, commit } = tried;
    await Promise.all([
      commit({ kind: "changeUser", user: ANNA, atMs: NOW_MS, to: { groups: [OPS] } }),
      commit({ kind: "changeUser", user: ANNA, atMs: NOW_MS, to: { display_name: "Anna" } }),
    ]);
    expect(ledger.get("anna")?.record).toMatchObject({ groups: ["ops"], display_name: "Anna" });
  });

  it.each<[string, Edit]>([
    ["removed", { kind: "removeUser", user: ROOT.username }],
    ["disabled", changeOf({ disabled: true })],
    ["demoted", changeOf({ groups: [OPS] })],
  ])("lets the last administrator not be %s", async (_, edit) => {
    await using tried = await openLedger();
    await expect(tried.commit(edit)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(tried.ledger.get("root")?.record).toEqual(ROOT);
  });

  it("gives one of two users a name that both want", async () => {
    await using tried = await openLedger();
    const { ledger, commit } = tried;
    await expect(commit(changeOf({ username: ANNA }))).rejects.toMatchObject({
      code: "ERR_CODE_ALREADY_EXIST",
    });
    const both = ["ben", "ben"].map((name) =>
      commit({ kind: "addUser", record: userRecord(name) }),
    );
    const outcomes = await Promise.allSettled(both);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(ledger.all()).toHaveLength(3);
  });

  it("shows what somebody may now, however long ago they signed in", async () => {
    await using tried = await openLedger();
    const { ledger, commit } = tried;
    const changed: string[] = [];
    const permissions = permissionsSchema.parse({});
    await commit({ kind: "putGroup", record: { name: OPS, permissions } });
    ledger.watchRights((users) => changed.push(...users));
    await commit({ kind: "addToken", user: ANNA, record: tokenRecord("anna", 1) });
    const actor = actorOf(ledger);
    expect(actor.permissions.tunnels).toBe(false);
    await commit({ kind: "changeUser", user: ANNA, atMs: NOW_MS, to: { groups: [OPS] } });
    expect(actor.permissions.tunnels).toBe(false);
    await commit({ kind: "putGroup", record: { name: OPS, permissions: TUNNELS } });
    expect(actor.permissions.tunnels).toBe(true);
    await commit({ kind: "removeGroup", group: OPS });
    expect(actor).toMatchObject({ groups: [], isAdministrator: false });
    expect(actor.permissions.tunnels).toBe(false);
    expect(changed).toEqual(["anna", "anna", "anna"]);
  });

  it.each<[string, Edit]>([
    [
      "the token is ended",
      { kind: "endToken", user: ANNA, prefix: tokenRecord("anna", 1).prefix, atMs: NOW_MS },
    ],
    [
      "the user is disabled",
      { kind: "changeUser", user: ANNA, atMs: NOW_MS, to: { disabled: true } },
    ],
    ["the user is removed", { kind: "removeUser", user: ANNA }],
  ])("ends what was opened with a token when %s", async (_, edit) => {
    await using tried = await openLedger();
    const { ledger, commit } = tried;
    await commit({ kind: "addToken", user: ANNA, record: tokenRecord("anna", 1) });
    const actor = actorOf(ledger);
    await commit(edit);
    expect(actor.ended.aborted).toBe(true);
    expect(actor.groups).toEqual([]);
  });

  it("ends sessions with the password, save the one that changed it", async () => {
    await using tried = await openLedger();
    const { ledger, commit } = tried;
    await commit(sessionOf(1), sessionOf(2));
    const password = { scheme: "scrypt", salt: "A".repeat(22), verifier: "B".repeat(43) } as const;
    await commit({
      kind: "changeUser",
      user: ANNA,
      atMs: NOW_MS,
      to: { password },
      keepSession: 2,
    });
    expect(ledger.ownerOfSession(1)).toBeUndefined();
    expect(ledger.ownerOfSession(2)?.record.username).toBe("anna");
  });

  it("replaces a password only that was shown: of two at once with the same old one, the first", async () => {
    await using tried = await openLedger();
    const passwordOf = (letter: string) =>
      ({ scheme: "scrypt", salt: "A".repeat(22), verifier: letter.repeat(43) }) as const;
    const shown = passwordOf("B");
    await tried.commit({ kind: "changeUser", user: ANNA, atMs: NOW_MS, to: { password: shown } });
    const replace = (letter: string): Promise<unknown> =>
      tried.commit({
        kind: "changeUser",
        user: ANNA,
        atMs: NOW_MS,
        to: { password: passwordOf(letter) },
        replaces: shown.verifier,
      });
    const [first, second] = await Promise.allSettled([replace("C"), replace("D")]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ status: "rejected", reason: { code: "CONFLICT" } });
    expect(tried.ledger.get("anna")?.record.password).toEqual(passwordOf("C"));
  });

  it("begins no session with a password that was changed while it was checked", async () => {
    await using tried = await openLedger();
    const late = tried.commit({
      kind: "addSession",
      user: ANNA,
      record: sessionRecord("anna", 1),
      verifier: "A".repeat(43),
    });
    await expect(late).rejects.toMatchObject({ code: "CONFLICT" });
  });

  it("takes a code once, also when two show it at the same time", async () => {
    await using tried = await openLedger();
    const { commit } = tried;
    const totp = { secret: "sealed", confirmed: false, last_step: null, recovery_hashes: [] };
    await commit({ kind: "setTotp", user: ANNA, totp });
    const both = [1, 2].map(() => commit({ kind: "takeCode", user: ANNA, step: 7 }));
    const outcomes = await Promise.allSettled(both);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    await expect(commit({ kind: "takeCode", user: ANNA, step: 6 })).rejects.toThrow("used before");
    await expect(commit({ kind: "setTotp", user: ANNA, totp })).rejects.toThrow("already");
  });
});
