import { type AuditRow, auditRowSchema } from "@rport/protocol/audit";
import { RportError } from "@rport/protocol/errors";
import { z } from "zod";
import type { Limits } from "../../limits/limits.ts";
import type { Clock } from "../../platform/clock.ts";
import { Lane } from "../../platform/lane.ts";
import type { Database } from "../../store/sqlite/database.ts";
import { type AuditQuery, countStatement, pageStatement, type Span } from "./auditQuery.ts";

/** Entries that one step looks at; between two steps others get their turn. */
const STEP_ROWS = 10_000;

/** What searches need. */
export interface AuditSearchDeps {
  readonly database: Pick<Database, "all">;
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Pick<Clock, "monotonic">;
}

/** A page of rows, and how many fit in all. */
export interface FoundRows {
  readonly rows: AuditRow[];
  readonly count: number;
}

const countSchema = z.object({ count: z.int() });
const spanSchema = z.object({ from: z.int().nullable(), to: z.int().nullable() });
const SPAN = { sql: 'SELECT min(seq) AS "from", max(seq) AS "to" FROM audit', params: [] };

/** Searches the index: one search at a time, in short steps, and none for long. */
export class AuditSearch {
  readonly #deps: AuditSearchDeps;
  readonly #lane: Lane;

  constructor(deps: AuditSearchDeps) {
    this.#deps = deps;
    this.#lane = new Lane({ running: 1, waiting: deps.limits.max("audit_queries") });
  }

  /**
   * The page that is asked for, as of when `ready` has resolved. Fails with `TOO_MANY_REQUESTS` when
   * too many wait already, and with `BAD_REQUEST` when it would take too long.
   */
  async run(query: AuditQuery, ready: () => Promise<void>): Promise<FoundRows> {
    const searching = this.#lane.run(async () => {
      await ready();
      return await this.#search(query);
    });
    if (searching !== undefined) return await searching;
    this.#deps.limits.bite("audit_queries");
    throw new RportError("TOO_MANY_REQUESTS", "Too many searches of the audit log wait already.", {
      detail: "Try again in a moment.",
    });
  }

  async #search(query: AuditQuery): Promise<FoundRows> {
    const { database } = this.#deps;
    const count = await this.#count(query);
    const rows = await database.all(pageStatement(query), auditRowSchema);
    return { rows, count };
  }

  /** May take half of the time: the page then takes the other half at most. */
  async #count(query: AuditQuery): Promise<number> {
    const { database, limits, clock } = this.#deps;
    const endMs = clock.monotonic() + limits.max("audit_query_ms") / 2;
    let count = 0;
    for (const span of await this.#steps()) {
      if (clock.monotonic() > endMs) throw this.#tooLong();
      const [found] = await database.all(countStatement(query, span), countSchema);
      count += found?.count ?? 0;
    }
    return count;
  }

  async #steps(): Promise<Span[]> {
    const [all] = await this.#deps.database.all(SPAN, spanSchema);
    if (all === undefined || all.from === null || all.to === null) return [];
    const steps: Span[] = [];
    for (let from = all.from; from <= all.to; from += STEP_ROWS) {
      steps.push({ from, to: Math.min(from + STEP_ROWS - 1, all.to) });
    }
    return steps;
  }

  #tooLong(): RportError {
    this.#deps.limits.bite("audit_query_ms");
    return new RportError("BAD_REQUEST", "This search of the audit log takes too long.", {
      detail: "Narrow it: to a time with filter[timestamp][since], to fewer columns or values.",
    });
  }
}
