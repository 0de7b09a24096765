import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { NO_LIMITS } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import type { Edit } from "../../../backend/src/store/edits/edit.ts";
import type { EditStore } from "../../../backend/src/store/edits/editStore.ts";
import type { CredentialRecord } from "../../../backend/src/store/records/credentialRecord.ts";
import type { SecretRow } from "../../../backend/src/store/records/secretRow.ts";
import { clientRecord } from "../backend/records.ts";

/** A store to be tried, and what the next process finds. */
export interface TriedStore extends AsyncDisposable {
  readonly store: EditStore;
  /** A new process opens what is on disk. */
  reopen(): Promise<EditStore>;
}

const FLEET = authIdSchema.parse("fleet");
const HOST = clientIdSchema.parse("host");

/** The record of a credential, for tests. */
export function credentialRecord(id = FLEET): CredentialRecord {
  return {
    id,
    label: "",
    kind: "fleet",
    state: "active",
    created_at: "2030-01-01T00:00:00Z",
    created_by: "test",
    limits: NO_LIMITS,
    salt: "s".repeat(22),
  };
}

/** The row of a secret, for tests. */
export function secretRow(id: string, given: Partial<SecretRow> = {}): SecretRow {
  return {
    id: secretIdSchema.parse(id),
    credential_id: FLEET,
    seq: 1,
    scheme: "hmac",
    verifier: Uint8Array.from(Buffer.from(id.padEnd(32, "."))),
    origin: "initial",
    state: "active",
    client_id: null,
    single_use: false,
    created_at: 1,
    last_used_at: null,
    expires_at: null,
    unbound_until: null,
    state_since: 1,
    ...given,
  };
}

const CREATE: Edit = { kind: "create", record: credentialRecord() };
const ADD = { kind: "add", row: secretRow("secret-1") } as const satisfies Edit;

const secretsIn = async (store: EditStore) =>
  (await store.readCredentials()).secrets.map(({ id, state }) => `${id} ${state}`);

const clientsIn = async (store: EditStore) =>
  (await store.readClients()).map(({ id, name }) => `${id} ${name}`);

/** What every store of edits promises; `open` makes an empty one. */
export function describeEditStore(name: string, open: () => Promise<TriedStore>): void {
  describe(`the promises of a store: ${name}`, () => {
    it("a commit is on disk, and its followers know, when it resolves", async () => {
      await using tried = await open();
      const seen: unknown[] = [];
      tried.store.follow((edits, seq) => seen.push([edits, seq]));
      await tried.store.commit([CREATE, ADD]);
      expect(seen).toEqual([[[CREATE, ADD], 1]]);
      expect(await secretsIn(await tried.reopen())).toEqual(["secret-1 active"]);
    });

    it("followers are told of each commit once, in the order of the calls", async () => {
      await using tried = await open();
      await tried.store.commit([CREATE, ADD]);
      const seen: [number, number][] = [];
      tried.store.follow((edits, seq) => {
        for (const edit of edits) if (edit.kind === "used") seen.push([edit.atMs, seq]);
      });
      const id = secretIdSchema.parse("secret-1");
      const times = Array.from({ length: 50 }, (_, atMs) => atMs);
      const used = (atMs: number): Edit => ({ kind: "used", credential: FLEET, id, atMs });
      await Promise.all(times.map((atMs) => tried.store.commit([used(atMs)])));
      expect(seen.map(([atMs]) => atMs)).toEqual(times);
      const [first = 0] = seen.map(([, seq]) => seq);
      expect(seen.map(([, seq]) => seq)).toEqual(times.map((n) => first + n));
      const { secrets } = await (await tried.reopen()).readCredentials();
      expect(secrets).toMatchObject([{ last_used_at: 49 }]);
    });

    it("of two credentials with one id the second is refused, with its secret", async () => {
      await using tried = await open();
      const other: Edit = { kind: "add", row: secretRow("secret-2", { seq: 2 }) };
      const results = await Promise.allSettled([
        tried.store.commit([CREATE, ADD]),
        tried.store.commit([CREATE, other]),
      ]);
      const code = "ERR_CODE_ALREADY_EXIST";
      expect(results).toMatchObject([
        { status: "fulfilled" },
        { status: "rejected", reason: { code } },
      ]);
      expect(await secretsIn(await tried.reopen())).toEqual(["secret-1 active"]);
    });

    it("a credential that is gone or going cannot be changed", async () => {
      await using tried = await open();
      const change: Edit = { kind: "change", credential: FLEET, to: { label: "late" } };
      const code = "ERR_CODE_CLIENT_AUTH_NOT_FOUND";
      await expect(tried.store.commit([change])).rejects.toMatchObject({ code });
      await tried.store.commit([CREATE, ADD]);
      await tried.store.commit([{ kind: "mark", credential: FLEET }]);
      await expect(tried.store.commit([change])).rejects.toMatchObject({ code });
    });

    it("a deletion that was begun is finished by the next process, and remembered", async () => {
      await using tried = await open();
      await tried.store.commit([CREATE, ADD]);
      await tried.store.commit([{ kind: "mark", credential: FLEET }]);
      const { records, secrets, deleted } = await (await tried.reopen()).readCredentials();
      expect(records.map(({ id }) => id)).not.toContain(FLEET);
      expect(secrets).toEqual([]);
      expect(deleted).toEqual([FLEET]);
    });

    it("an adoption is on disk with all that goes along, or not at all", async () => {
      await using tried = await open();
      const [from, to] = [clientRecord({ id: "old", name: "db" }), clientRecord({ id: "new" })];
      await tried.store.commit([CREATE, ADD]);
      await tried.store.commit([from, to].map((record) => ({ kind: "seen", record })));
      const adopt: Edit = {
        kind: "adopt",
        record: { ...to, name: "db" },
        from: { client: from.id, credential: FLEET },
      };
      // A secret of that id is there already.
      await expect(tried.store.commit([adopt, ADD])).rejects.toMatchObject({ code: "CONFLICT" });
      expect(await clientsIn(tried.store)).toEqual(["new web", "old db"]);
      const revoke: Edit = { kind: "revoke", credential: FLEET, id: ADD.row.id, atMs: 5 };
      await tried.store.commit([adopt, revoke]);
      const again = await tried.reopen();
      expect(await clientsIn(again)).toEqual(["new db"]);
      expect(await secretsIn(again)).toEqual(["secret-1 revoked"]);
    });

    it("edits that run ahead are told at once and once, and are on disk when they are settled", async () => {
      await using tried = await open();
      let told = 0;
      tried.store.follow(() => {
        told += 1;
      });
      const seen: Edit = { kind: "seen", record: clientRecord({ id: HOST, name: "web" }) };
      tried.store.announce([seen]);
      expect(told).toBe(1);
      expect(await clientsIn(tried.store)).toEqual([]);
      await tried.store.settle([seen]);
      expect(told).toBe(1);
      expect(await clientsIn(await tried.reopen())).toEqual(["host web"]);
    });

    it("what is in force already is written together with the rest, and not told again", async () => {
      await using tried = await open();
      await tried.store.commit([CREATE, ADD]);
      const seen: (readonly Edit[])[] = [];
      tried.store.follow((edits) => seen.push(edits));
      const used: Edit = { kind: "used", credential: FLEET, id: ADD.row.id, atMs: 7 };
      const revoke: Edit = { kind: "revoke", credential: FLEET, id: ADD.row.id, atMs: 8 };
      tried.store.announce([used]);
      await tried.store.commit([revoke], [used]);
      expect(seen).toEqual([[used], [revoke]]);
      const { secrets } = await (await tried.reopen()).readCredentials();
      expect(secrets).toMatchObject([{ state: "revoked", last_used_at: 7 }]);
    });

    it("edits of what is gone do nothing", async () => {
      await using tried = await open();
      await tried.store.commit([CREATE, ADD]);
      const id = secretIdSchema.parse("gone-long-ago");
      const name = { credential: FLEET, id };
      await tried.store.commit([
        { kind: "grace", ...name, atMs: 1, endsAtMs: null },
        { kind: "revoke", ...name, atMs: 1 },
        { kind: "remove", ...name },
        { kind: "forget", client: HOST, credential: FLEET },
      ]);
      expect(await secretsIn(await tried.reopen())).toEqual(["secret-1 active"]);
    });

    it("a follower is told before those after it; what it brings about comes after that", async () => {
      await using tried = await open();
      const seen: string[] = [];
      tried.store.follow((edits) => {
        seen.push(`first ${edits[0]?.kind}`);
        if (edits[0]?.kind === "forget") {
          tried.store.announce([{ kind: "clearShifts", credential: FLEET, client: HOST }]);
        }
      });
      tried.store.follow((edits) => seen.push(`second ${edits[0]?.kind}`));
      tried.store.announce([{ kind: "forget", client: HOST, credential: FLEET }]);
      expect(seen).toEqual([
        "first forget",
        "second forget",
        "first clearShifts",
        "second clearShifts",
      ]);
    });

    it("a follower that fails holds up neither the commit nor the others", async () => {
      await using tried = await open();
      tried.store.follow(() => {
        throw new Error("a bug");
      });
      const seen: (readonly Edit[])[] = [];
      tried.store.follow((edits) => seen.push(edits));
      await tried.store.commit([CREATE, ADD]);
      expect(seen).toEqual([[CREATE, ADD]]);
    });

    it("jobs of one key follow one another, also after one that failed; others do not wait", async () => {
      await using tried = await open();
      const order: string[] = [];
      const held = Promise.withResolvers<void>();
      const first = tried.store.turn("one", async () => {
        await held.promise;
        order.push("first");
        throw new Error("failed");
      });
      const second = tried.store.turn("one", async () => void order.push("second"));
      await tried.store.turn("two", async () => void order.push("other"));
      held.resolve();
      await expect(first).rejects.toThrow("failed");
      await second;
      expect(order).toEqual(["other", "first", "second"]);
    });
  });
}
