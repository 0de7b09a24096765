import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { AuditSearch } from "../../../../backend/src/audit/index/auditSearch.ts";
import { IndexFile } from "../../../../backend/src/audit/index/indexFile.ts";
import { parseAuditQuery } from "../../../../backend/src/http/handlers/auditList.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import type { Database, Statement } from "../../../../backend/src/store/sqlite/database.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const ready = () => Promise.resolve();

/** Entries 1 to `count` in one statement, but none whose number ends with 7. */
function fill(count: number): Statement {
  const sql = `INSERT INTO audit WITH RECURSIVE n(seq) AS
      (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?)
    SELECT seq, '2030-01-01T00:00:00.000Z', 'user-' || (seq % 3), '', 'client', 'connect', '', '',
      'host-' || seq, '', '{}', '{}' FROM n WHERE seq % 10 <> 7`;
  return { sql, params: [count] };
}

async function openIndex() {
  const directory = await tempDirectory();
  const { log, lines } = testLog();
  const path = join(directory.path, "audit.sqlite");
  const database = new IndexFile({ path, log });
  const clock = new FakeClock();
  const limits = new Limits({ clock, log, values: { audit_queries: 2, audit_query_ms: 1_000 } });
  return {
    path,
    database,
    clock,
    limits,
    log,
    lines,
    [Symbol.asyncDispose]: async () => {
      await database.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** A database of which each call takes so long. */
function slow(database: Database, clock: FakeClock, ms: number): Pick<Database, "all"> {
  return {
    all: <T>(query: Statement, schema: z.ZodType<T>) => {
      clock.advance(ms);
      return database.all(query, schema);
    },
  };
}

describe("a search of the audit log", () => {
  it("counts and pages the same in many steps as in one, with gaps between the entries", async () => {
    await using index = await openIndex();
    await index.database.write([fill(25_000)]);
    const search = new AuditSearch(index);
    const query = parseAuditQuery({
      sort: "-seq",
      "filter[username]": "user-1",
      "page[limit]": "3",
    });
    const { rows, count } = await search.run(query, ready);
    expect(count).toBe(7_500);
    expect(rows.map(({ seq }) => seq)).toEqual([25_000, 24_994, 24_991]);
    expect((await search.run(parseAuditQuery({}), ready)).count).toBe(22_500);
    const late = { "filter[timestamp][gt]": "2031-01-01T00:00:00Z" };
    expect(await search.run(parseAuditQuery(late), ready)).toEqual({ rows: [], count: 0 });
  });

  it("that takes too long is ended, with what to narrow, and counted; a short one is not", async () => {
    await using index = await openIndex();
    const { database, clock, limits } = index;
    await database.write([fill(60_000)]);
    const hurried = new AuditSearch({ database: slow(database, clock, 150), limits, clock });
    const query = parseAuditQuery({ "filter[*]": "*x*" });
    await expect(hurried.run(query, ready)).rejects.toMatchObject({
      code: "BAD_REQUEST",
      detail: expect.stringContaining("filter[timestamp][since]"),
    });
    const bites = limits.states().find(({ name }) => name === "audit_query_ms")?.bites;
    expect(bites).toBe(1);
    const calm = new AuditSearch({ database: slow(database, clock, 10), limits, clock });
    expect((await calm.run(query, ready)).count).toBe(0);
  });

  it("waits for the one before, and is turned away when too many wait already", async () => {
    await using index = await openIndex();
    const search = new AuditSearch(index);
    const query = parseAuditQuery({});
    const held = Promise.withResolvers<void>();
    const first = search.run(query, () => held.promise);
    const waiting = [search.run(query, ready), search.run(query, ready)];
    await expect(search.run(query, ready)).rejects.toMatchObject({ code: "TOO_MANY_REQUESTS" });
    held.resolve();
    for (const { count } of await Promise.all([first, ...waiting])) expect(count).toBe(0);
  });
});

it("a damaged file of the index is made anew, and the log says so", async () => {
  await using index = await openIndex();
  await writeFile(index.path, "no database ".repeat(1_000));
  await index.database.write([fill(10)]);
  expect((await new AuditSearch(index).run(parseAuditQuery({}), ready)).count).toBe(9);
  expect(index.lines.join("")).toContain("made anew");
});
