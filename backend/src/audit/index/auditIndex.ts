import type { AuditRow } from "@rport/protocol/audit";
import { RportError } from "@rport/protocol/errors";
import { z } from "zod";
import type { Limits } from "../../limits/limits.ts";
import type { Sharer } from "../../limits/sharer.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { errorText, type Log } from "../../platform/log.ts";
import type { Database, Statement } from "../../store/sqlite/database.ts";
import { type Head, type SealedEntry, START } from "../chain.ts";
import { rowOf } from "../entry.ts";
import type { AuditFollower } from "../log.ts";
import type { AuditQuery } from "./auditQuery.ts";
import { AuditSearch } from "./auditSearch.ts";
import {
  type LastingRow,
  lastingOf,
  lastingRowSchema,
  lastingStatements,
  RENAMES,
} from "./lastingRows.ts";

/** Newest entries that can be asked for; the files keep all. A query reads each of them. */
const ROWS_MAX = 200_000;
/** Entries per transaction. */
const BATCH = 500;
/** New entries are gathered this long: those of many logins become one write. */
const GATHER_MS = 200;

/** What the index is made of. */
export interface AuditIndexDeps {
  readonly database: Pick<Database, "write" | "all">;
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  readonly log: Log;
  /** The entries after `seq` in the files, which hold the truth. */
  readonly entriesAfter: (seq: number) => AsyncIterable<SealedEntry>;
  readonly rowsMax?: number;
}

const headSchema = z.object({ seq: z.int(), hash: z.string() });

/**
 * The audit log as rows, for queries. Written a moment after the files, so it may be behind
 * them, and then catches up from them; it is never ahead.
 */
export class AuditIndex implements AuditFollower {
  readonly #deps: AuditIndexDeps;
  readonly #search: AuditSearch;
  /** One thing at a time, so that rows are never missing below the newest one. */
  #work: Promise<void> = Promise.resolve();
  #isBehind = true;
  /** Entries that are not being written yet. */
  #gathered: SealedEntry[] = [];
  #timer: Timer | undefined;

  constructor(deps: AuditIndexDeps) {
    this.#deps = deps;
    this.#search = new AuditSearch(deps);
  }

  async last(): Promise<Head> {
    const sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
    const [head] = await this.#deps.database.all({ sql, params: [] }, headSchema);
    return head ?? START;
  }

  add(entries: readonly SealedEntry[]): void {
    this.#gathered.push(...entries);
    if (this.#gathered.length >= BATCH) void this.#flush();
    else this.#timer ??= this.#deps.clock.after(GATHER_MS, () => void this.#flush());
  }

  /**
   * A page of rows for the user, and how many fit in all. Sees every entry that was added before. Fails as
   * `AuditSearch.run` does.
   */
  async list(user: Sharer, query: AuditQuery): Promise<{ rows: AuditRow[]; count: number }> {
    return await this.#search.run({ user, query, ready: () => this.#flush() });
  }

  /** What is asked for years later of these users, oldest first; see `LastingRow`. */
  async lasting(usernames: readonly string[]): Promise<LastingRow[]> {
    return await this.#lasting(lastingOf(usernames));
  }

  /** Every change of a user's name, oldest first. */
  async renames(): Promise<LastingRow[]> {
    return await this.#lasting(RENAMES);
  }

  /** Writes what was added; resolves when nothing is being written. */
  async close(): Promise<void> {
    await this.#flush();
  }

  /** Resolves when everything added so far was written, or could not be. */
  #flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const entries = this.#gathered;
    this.#gathered = [];
    this.#work = this.#work.then(() => this.#follow(() => this.#insert(entries)));
    return this.#work;
  }

  async #lasting(query: Statement): Promise<LastingRow[]> {
    await this.#flush();
    if (this.#isBehind) throw new RportError("UNAVAILABLE", "The audit log cannot be read now.");
    return await this.#deps.database.all(query, lastingRowSchema);
  }

  async #follow(insert: () => Promise<void>): Promise<void> {
    try {
      if (this.#isBehind) await this.#catchUp();
      else await insert();
      this.#isBehind = false;
    } catch (caught) {
      if (!this.#isBehind) {
        this.#deps.log.warn("the audit index is behind", { reason: errorText(caught) });
      }
      this.#isBehind = true;
    }
  }

  async #catchUp(): Promise<void> {
    let batch: SealedEntry[] = [];
    const { seq } = await this.last();
    for await (const entry of this.#deps.entriesAfter(seq)) {
      batch.push(entry);
      if (batch.length < BATCH) continue;
      await this.#insert(batch);
      batch = [];
    }
    await this.#insert(batch);
  }

  async #insert(entries: readonly SealedEntry[]): Promise<void> {
    const last = entries.at(-1);
    if (last === undefined) return;
    const { database, rowsMax = ROWS_MAX } = this.#deps;
    const tooOld = { sql: "DELETE FROM audit WHERE seq <= ?", params: [last.seq - rowsMax] };
    await database.write([...entries.map(insertion), tooOld, ...lastingStatements(entries)]);
  }
}

function insertion(entry: SealedEntry): Statement {
  const row = rowOf(entry.body);
  return {
    sql: `INSERT OR REPLACE INTO audit (seq, timestamp, username, remote_ip, application, action,
            affected_id, client_id, client_hostname, request, response, hash)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    params: [
      row.seq,
      row.timestamp,
      row.username,
      row.remote_ip,
      row.application,
      row.action,
      row.affected_id,
      row.client_id,
      row.client_hostname,
      row.request,
      row.response,
      entry.hash,
    ],
  };
}
