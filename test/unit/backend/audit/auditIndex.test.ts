import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SealedEntry } from "../../../../backend/src/audit/chain.ts";
import type { AuditEntry } from "../../../../backend/src/audit/entry.ts";
import { AuditIndex } from "../../../../backend/src/audit/index/auditIndex.ts";
import { IndexFile } from "../../../../backend/src/audit/index/indexFile.ts";
import type { AuditLog } from "../../../../backend/src/audit/log.ts";
import { entriesAfter } from "../../../../backend/src/audit/scan.ts";
import { parseAuditQuery } from "../../../../backend/src/http/handlers/auditList.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { systemClock } from "../../../../backend/src/platform/clock.ts";
import type { Database } from "../../../../backend/src/store/sqlite/database.ts";
import {
  AUDIT_KEY,
  entry,
  type TestAuditLog,
  testAuditLog,
} from "../../../support/backend/auditLog.ts";
import { testLog } from "../../../support/log.ts";

type Query = Record<string, string | string[]>;

let log: TestAuditLog;
let database: IndexFile;
let index: AuditIndex;

const newIndex = (more: Partial<ConstructorParameters<typeof AuditIndex>[0]> = {}) =>
  new AuditIndex({
    database,
    limits: new Limits({ clock: systemClock, log: testLog().log }),
    clock: systemClock,
    log: testLog().log,
    entriesAfter: (seq) => entriesAfter(log.directory, AUDIT_KEY, seq),
    ...more,
  });

beforeAll(async () => {
  log = await testAuditLog({ segmentMaxBytes: 1_000 });
  const path = join(log.directory, "x.sqlite");
  database = new IndexFile({ path, log: testLog().log });
  index = newIndex();
  await log.reopen({ follower: index });
  await fill(log.audit);
});
afterAll(async () => {
  await log.audit.close();
  await database.close();
  await log[Symbol.asyncDispose]();
});

/** Seq 1 to 6, a day apart. */
async function fill(audit: AuditLog): Promise<void> {
  const entries: AuditEntry[] = [
    { application: "server", action: "start" },
    { ...entry(1), clientHostname: "web-1.example.com" },
    { ...entry(2), user: "Alice", affectedId: "50%_off\\x" },
    { application: "client.tunnel", action: "create", clientId: "c-1", affectedId: "1" },
    { application: "client.tunnel", action: "delete", clientId: "c-1", affectedId: "1" },
    { application: "client", action: "failed", remoteIp: "2001:db8::1", clientHostname: "web-2" },
  ];
  for (const one of entries) {
    await audit.record(one);
    log.clock.advance(86_400_000);
  }
}

const USER = { accountId: "1", name: "local" };

async function seqs(query: Query): Promise<number[]> {
  const { rows } = await index.list(USER, parseAuditQuery(query));
  return rows.map(({ seq }) => seq);
}

describe("the audit list", () => {
  it("is RPort's rows, oldest first, with the total of all pages", async () => {
    const { rows, count } = await index.list(
      USER,
      parseAuditQuery({ "page[limit]": "1", sort: "timestamp", "page[offset]": "1" }),
    );
    expect(count).toBe(6);
    expect(rows).toEqual([
      {
        timestamp: "2030-01-02T00:00:00.000Z",
        username: "local",
        remote_ip: "192.0.2.1",
        application: "client.auth",
        action: "create",
        affected_id: "größe-1",
        client_id: "",
        client_hostname: "web-1.example.com",
        request: JSON.stringify(entry(1).request),
        response: "{}",
        seq: 2,
      },
    ]);
    expect(await seqs({})).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each<[Query, number[]]>([
    [{ "filter[application]": "client.tunnel" }, [4, 5]],
    [{ "filter[application]": "client.tunnel", "filter[action]": "delete" }, [5]],
    [{ "filter[application]": "client.*" }, [2, 3, 4, 5]],
    [{ "filter[username]": "alice" }, [3]],
    [{ "filter[affected_id]": "größe-1" }, [2]],
    [{ "filter[affected_id]": "50%_off\\x,none" }, [3]],
    [{ "filter[affected_id]": "5*%*" }, [3]],
    [{ "filter[affected_id]": "_*" }, []],
    [{ "filter[client_hostname]": "and(WEB-*,*.example.com)" }, [2]],
    [{ "filter[client_hostname|remote_ip]": "web-2,192.0.2.1" }, [2, 3, 6]],
    [{ "filter[*]": "2001:*" }, [6]],
    [{ "filter[client_id]": "" }, []],
    [{ "filter[timestamp][gt]": "2030-01-05T00:00:00Z" }, [6]],
    [{ "filter[timestamp][since]": "2030-01-05T01:00:00+01:00" }, [5, 6]],
    [{ "filter[timestamp][lt]": `${Date.UTC(2030, 0, 2) / 1_000}` }, [1]],
    [{ "filter[timestamp][until]": "2030-01-02T00:00:00Z" }, [1, 2]],
    [{ "filter[timestamp][eq]": "2030-01-03T00:00:00Z" }, [3]],
    [{ sort: "-timestamp" }, [6, 5, 4, 3, 2, 1]],
    [{ sort: "-seq" }, [6, 5, 4, 3, 2, 1]],
    [{ sort: "seq", "page[limit]": "2" }, [1, 2]],
    [{ sort: ["action", "-timestamp"], "page[limit]": "4" }, [4, 3, 2, 5]],
    [{ "page[offset]": "99" }, []],
  ])("answers %j", async (query, expected) => {
    expect(await seqs(query)).toEqual(expected);
  });

  it.each<[string, Query]>([
    ["an unknown filter", { "filter[request]": "x" }],
    ["a filter of every object", { "filter[constructor]": "x" }],
    ["an unknown sort", { sort: "hash" }],
    ["an unknown parameter", { colour: "red" }],
    ["fields", { "fields[auditlog]": "timestamp" }],
    ["an operator on a text", { "filter[action][gt]": "x" }],
    ["an unknown operator", { "filter[timestamp][about]": "1" }],
    ["a time that is none", { "filter[timestamp][gt]": "yesterday" }],
    ["a page of nothing", { "page[limit]": "0" }],
    ["a page of more than 100", { "page[limit]": "101" }],
    ["more wildcards than it may cost", { "filter[action]": Array(11).fill("a*").join(",") }],
  ])("refuses %s with 400", (_name, query) => {
    expect(() => parseAuditQuery(query)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it("takes values for values, whatever they contain", async () => {
    expect(await seqs({ "filter[username]": "x' OR 1=1 --" })).toEqual([]);
    expect(await seqs({ "filter[username]": `"]') OR 1=1 --*` })).toEqual([]);
  });
});

describe("the audit index", () => {
  it("is filled from the files, over several of them, when it is empty or behind", async () => {
    await database.write([{ sql: "DELETE FROM audit WHERE seq > 2", params: [] }]);
    index = newIndex();
    expect(await seqs({})).toEqual([1, 2, 3, 4, 5, 6]);
    await database.write([{ sql: "DELETE FROM audit", params: [] }]);
    index = newIndex();
    expect(await seqs({})).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("F-03: writes entries that come one by one together, a moment later", async () => {
    const entries: SealedEntry[] = [];
    for await (const one of entriesAfter(log.directory, AUDIT_KEY, 0)) entries.push(one);
    const writes: number[] = [];
    const counting: Database = {
      write: async (statements) => void writes.push(statements.length),
      all: (query, schema) => database.all(query, schema),
      close: () => Promise.resolve(),
    };
    index = newIndex({ database: counting, clock: log.clock });
    await index.close();
    for (const one of entries) index.add([one]);
    expect(writes).toEqual([]);
    log.clock.advance(200);
    await expect.poll(() => writes).toEqual([expect.any(Number)]);
    expect(writes[0]).toBeGreaterThan(entries.length);
  });

  it("catches up after it could not be written", async () => {
    let isFull = true;
    const failing: Database = {
      write: (statements) =>
        isFull ? Promise.reject(new Error("full")) : database.write(statements),
      all: (query, schema) => database.all(query, schema),
      close: () => Promise.resolve(),
    };
    await database.write([{ sql: "DELETE FROM audit WHERE seq > 4", params: [] }]);
    index = newIndex({ database: failing });
    expect(await seqs({})).toEqual([1, 2, 3, 4]);
    isFull = false;
    expect(await seqs({})).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("keeps the newest rows only, so that a query stays quick", async () => {
    await database.write([{ sql: "DELETE FROM audit", params: [] }]);
    index = newIndex({ rowsMax: 2 });
    expect(await seqs({})).toEqual([5, 6]);
  });
});
