import { type AuditRow, auditRowSchema } from "@rport/protocol/audit";
import { RportError } from "@rport/protocol/errors";
import { z } from "zod";
import type { Limits } from "../../limits/limits.ts";
import type { Sharer } from "../../limits/sharer.ts";
import type { Clock } from "../../platform/clock.ts";
import { Lane } from "../../platform/lane.ts";
import type { Database } from "../../store/sqlite/database.ts";
import {
  type AuditQuery,
  comparisonsOf,
  countStatement,
  pageStatement,
  type Span,
} from "./auditQuery.ts";
import { COUNT_FOUND, collectStatement, FORGET_FOUND, foundPage, foundTable } from "./foundRows.ts";

/** Entries that one step looks at, at the most; between two steps others get their turn. */
const STEP_ROWS = 10_000;
/**
 * And comparisons of a text with a pattern. One takes some 7 microseconds where an agent and whoever
 * searches agree on the longest and worst of both: a step then takes less than a tenth of a second.
 */
const STEP_COMPARISONS = 10_000;
/** Users whose searches may all wait at once; a search of one more is turned away. */
const WAITING_USERS = 64;

/** What searches need. */
export interface AuditSearchDeps {
  readonly database: Pick<Database, "all" | "write">;
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Pick<Clock, "monotonic">;
}

/** A page of rows, and how many fit in all. */
export interface FoundRows {
  readonly rows: AuditRow[];
  readonly count: number;
}

/** What somebody searches for. */
export interface WantedRows {
  readonly user: Sharer;
  readonly query: AuditQuery;
  /** The page is as of when this has resolved. */
  readonly ready: () => Promise<void>;
}

const countSchema = z.object({ count: z.int() });
const spanSchema = z.object({ from: z.int().nullable(), to: z.int().nullable() });
const SPAN = { sql: 'SELECT min(seq) AS "from", max(seq) AS "to" FROM audit', params: [] };

/**
 * Searches the index: one search at a time and each user's in turn, in short steps, between which
 * others read, and none for long.
 */
export class AuditSearch {
  readonly #deps: AuditSearchDeps;
  readonly #lane: Lane;

  constructor(deps: AuditSearchDeps) {
    const waitingOfOne = deps.limits.max("audit_queries");
    this.#deps = deps;
    this.#lane = new Lane({ running: 1, waitingOfOne, waiting: WAITING_USERS * waitingOfOne });
  }

  /**
   * The page that is asked for. Fails with `TOO_MANY_REQUESTS` when too many of the user's wait
   * already, and with `BAD_REQUEST` when it would take too long.
   */
  async run({ user, query, ready }: WantedRows): Promise<FoundRows> {
    const searching = this.#lane.run(async () => {
      await ready();
      return await this.#search(query);
    }, user.accountId);
    if (searching !== undefined) return await searching;
    this.#deps.limits.bite("audit_queries", { user: user.name });
    throw new RportError(
      "TOO_MANY_REQUESTS",
      "Too many of your searches of the audit log wait already.",
      { detail: "Try again in a moment." },
    );
  }

  async #search(query: AuditQuery): Promise<FoundRows> {
    const { limits, clock } = this.#deps;
    const endMs = clock.monotonic() + limits.max("audit_query_ms");
    const hurry = (): void => {
      if (clock.monotonic() > endMs) throw this.#tooLong();
    };
    const [first] = query.sorts;
    if (first !== undefined && first.column !== "seq") return await this.#sorted(query, hurry);
    return await this.#inOrder(query, hurry);
  }

  /** In the order of writing, the page is in one step or two, which are known from what they have. */
  async #inOrder(query: AuditQuery, hurry: () => void): Promise<FoundRows> {
    const { database } = this.#deps;
    const { limit, offset, sorts } = query;
    const steps = await this.#steps(query);
    const rows: AuditRow[] = [];
    let count = 0;
    for (const span of sorts[0]?.descending === true ? steps.toReversed() : steps) {
      hurry();
      const [found] = await database.all(countStatement(query, span), countSchema);
      const before = count;
      count += found?.count ?? 0;
      if (count <= offset || rows.length >= limit) continue;
      const part = { limit: limit - rows.length, offset: Math.max(0, offset - before) };
      rows.push(
        ...(await database.all(pageStatement({ ...query, ...part }, span), auditRowSchema)),
      );
    }
    return { rows, count };
  }

  /** In any other order, what fits is put in that order step by step, in a table for the moment. */
  async #sorted(query: AuditQuery, hurry: () => void): Promise<FoundRows> {
    const { database } = this.#deps;
    try {
      await database.write([FORGET_FOUND, foundTable(query)]);
      for (const span of await this.#steps(query)) {
        hurry();
        await database.write([collectStatement(query, span)]);
      }
      hurry();
      const [found] = await database.all(COUNT_FOUND, countSchema);
      const rows = await database.all(foundPage(query), auditRowSchema);
      return { rows, count: found?.count ?? 0 };
    } finally {
      await database.write([FORGET_FOUND]);
    }
  }

  async #steps(query: AuditQuery): Promise<Span[]> {
    const [all] = await this.#deps.database.all(SPAN, spanSchema);
    if (all === undefined || all.from === null || all.to === null) return [];
    const steps: Span[] = [];
    const rows = Math.min(STEP_ROWS, Math.ceil(STEP_COMPARISONS / comparisonsOf(query)));
    for (let from = all.from; from <= all.to; from += rows) {
      steps.push({ from, to: Math.min(from + rows - 1, all.to) });
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
