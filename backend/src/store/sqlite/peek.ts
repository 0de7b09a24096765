import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { SqlRow } from "./sqliteMessages.ts";

/**
 * The first row of a query in a file that a backend may have open, or none; undefined also when there
 * is no such file, or it cannot be read. Nothing is changed, and nothing is left beside the file.
 */
export function peek(path: string, sql: string): SqlRow | undefined {
  if (!existsSync(path)) return undefined;
  const url = pathToFileURL(path);
  // Without a log of its own nobody writes to it, and no other file needs to be made to read it.
  url.search = existsSync(`${path}-wal`) ? "?mode=ro" : "?mode=ro&immutable=1";
  try {
    const database = new DatabaseSync(url, { readOnly: true });
    try {
      return database.prepare(sql).get();
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}
