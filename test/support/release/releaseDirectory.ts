import { chmod, cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Clock, systemClock } from "../../../backend/src/platform/clock.ts";
import { ROOT } from "../repository.ts";
import { tempDirectory } from "../tempDirectory.ts";
import type { Known } from "./scene.ts";

/** A data directory as a release has left it, in a place of its own. */
export interface ReleaseDirectory extends AsyncDisposable {
  readonly dataDir: string;
  readonly known: Known;
  /** Goes on a minute after the release stopped: what is kept for a month is still there. */
  readonly clock: Clock;
}

/** Copies the fixture; git keeps no modes, so they are set as the release had set them. */
export async function releaseDirectory(name: string): Promise<ReleaseDirectory> {
  const fixture = join(ROOT, "test/fixtures", name);
  const known: Known = JSON.parse(await readFile(join(fixture, "known.json"), "utf8"));
  const temp = await tempDirectory();
  const dataDir = join(temp.path, "data");
  await cp(join(fixture, "data"), dataDir, { recursive: true });
  await chmod(dataDir, 0o700);
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
  const aheadMs = Date.parse(known.stoppedAt) + 60_000 - systemClock.now();
  const { monotonic, after } = systemClock;
  return {
    dataDir,
    known,
    clock: { now: () => systemClock.now() + aheadMs, monotonic, after },
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

/** Everything of a data directory that nobody may rewrite without a change of what it means. */
export async function contentsOf(dataDir: string): Promise<unknown> {
  using database = new DatabaseSync(join(dataDir, "rport.sqlite"), { readOnly: true });
  const all = (sql: string) => database.prepare(sql).all();
  const tables = ["secret", "rotation", "client", "deleted_credential", "move"];
  return {
    document: await readFile(join(dataDir, "rport.json"), "utf8"),
    schema: tables.map((table) => all(`SELECT sql FROM sqlite_schema WHERE tbl_name = '${table}'`)),
    rows: tables.map((table) => [table, all(`SELECT * FROM ${table} ORDER BY 1, 2`)]),
  };
}
