import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { RECORDS } from "../../../../../backend/src/store/sqlite/migrations.ts";
import { SqliteDatabase } from "../../../../../backend/src/store/sqlite/sqliteDatabase.ts";
import { tempDirectory } from "../../../../support/tempDirectory.ts";

const countSchema = z.object({ n: z.number() }).transform((row) => row.n);

async function open(directory: string): Promise<SqliteDatabase & AsyncDisposable> {
  const path = join(directory, "x.sqlite");
  const database = await SqliteDatabase.open({ path, create: true, schema: RECORDS });
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.close() });
}

function put(database: SqliteDatabase, ...ids: string[]): Promise<void> {
  const sql = "INSERT INTO client (id, credential_id, record) VALUES (?, 'fleet', '{}')";
  return database.write(ids.map((id) => ({ sql, params: [id] })));
}

async function count(database: SqliteDatabase): Promise<number | undefined> {
  const query = { sql: "SELECT count(*) AS n FROM client", params: [] };
  return (await database.all(query, countSchema))[0];
}

describe("the database", () => {
  it("keeps what it acknowledged, in a thousand writes made at once", async () => {
    await using directory = await tempDirectory();
    {
      await using database = await open(directory.path);
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => put(database, `c${n}`)));
    }
    await using database = await open(directory.path);
    expect(await count(database)).toBe(1_000);
  });

  it("fails one job alone when jobs share a commit, all of it or none", async () => {
    await using directory = await tempDirectory();
    await using database = await open(directory.path);
    const results = await Promise.allSettled([
      put(database, "a"),
      put(database, "b", "a"),
      put(database, "c"),
      database.write([{ sql: "NO SQL", params: [] }]),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
    ]);
    expect(results[1]).toMatchObject({ reason: { code: "CONFLICT" } });
    expect(results[3]).toMatchObject({ reason: { code: "INTERNAL" } });
    expect(await count(database)).toBe(2);
  });

  it("shows a read what was written before it", async () => {
    await using directory = await tempDirectory();
    await using database = await open(directory.path);
    const write = put(database, "a");
    expect(await count(database)).toBe(1);
    await write;
  });

  it("finishes what was asked for before it closes, and refuses what comes later", async () => {
    await using directory = await tempDirectory();
    const database = await open(directory.path);
    const write = put(database, "a");
    const closed = database.close();
    await expect(put(database, "b")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await Promise.all([write, closed, database.close()]);
    await using again = await open(directory.path);
    expect(await count(again)).toBe(1);
  });

  it("has one owner, even when the directory lock does not see the other", async () => {
    await using directory = await tempDirectory();
    await using _first = await open(directory.path);
    await expect(open(directory.path)).rejects.toMatchObject({ exitCode: 73 });
  });
});
