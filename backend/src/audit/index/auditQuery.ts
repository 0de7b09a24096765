import type { Clause, Group, Operator } from "../../lists/listClause.ts";
import type { SqlValue, Statement } from "../../store/sqlite/database.ts";
import { FITS, type PatternGroup } from "../../store/sqlite/textMatching.ts";

/** The columns of the index by which people filter and sort. */
export const AUDIT_COLUMNS = [
  "timestamp",
  "username",
  "remote_ip",
  "application",
  "action",
  "affected_id",
  "client_id",
  "client_hostname",
] as const;

/** A column of the index. */
export type AuditColumn = (typeof AUDIT_COLUMNS)[number];

/** What the list can be sorted by; `seq` is the order of writing, whatever the clock did. */
export type AuditSort = AuditColumn | "seq";

/** What somebody wants to see; all clauses have to fit. Without `sorts`: oldest first, as in RPort. */
export interface AuditQuery {
  readonly clauses: readonly Clause[];
  /** Only what this user did, to the letter. */
  readonly username?: string | undefined;
  readonly sorts: readonly { readonly column: AuditSort; readonly descending: boolean }[];
  readonly limit: number;
  readonly offset: number;
}

const COMPARISONS: Readonly<Record<Exclude<Operator, "eq">, string>> = {
  gt: ">",
  lt: "<",
  since: ">=",
  until: "<=",
};

/** A condition in SQL, with its values. */
export interface Condition {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

const NOTHING: Condition = { sql: "0", params: [] };

/** Entries from one seq to another, both included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The statement that counts what fits in a span. */
export function countStatement(query: AuditQuery, { from, to }: Span): Statement {
  const { sql, params } = conditionOfQuery(query);
  return {
    sql: `SELECT count(*) AS count FROM audit WHERE seq BETWEEN ? AND ? AND ${sql}`,
    params: [from, to, ...params],
  };
}

/** The statement that reads a page of what fits in a span, in the order of writing. */
export function pageStatement(query: AuditQuery, { from, to }: Span): Statement {
  const { sql, params } = conditionOfQuery(query);
  const order = query.sorts[0]?.descending === true ? "seq DESC" : "seq";
  return {
    sql: `SELECT seq, ${AUDIT_COLUMNS.join(", ")}, request, response
          FROM audit WHERE seq BETWEEN ? AND ? AND ${sql} ORDER BY ${order} LIMIT ? OFFSET ?`,
    params: [from, to, ...params, query.limit, query.offset],
  };
}

/** How many texts of an entry are compared with how many patterns, at the most; 1 where none is. */
export function comparisonsOf({ clauses }: AuditQuery): number {
  const ofClause = (clause: Clause) => {
    if (clause.kind === "time") return 0;
    return sum(clause.groups.map(({ patterns }) => patterns.length)) * clause.columns.length;
  };
  return Math.max(1, sum(clauses.map(ofClause)));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

/** What an entry has to be. Times first: what they rule out is never compared with a text. */
export function conditionOfQuery({ clauses, username }: AuditQuery): Condition {
  const isTime = ({ kind }: Clause) => kind === "time";
  const ordered = [...clauses.filter(isTime), ...clauses.filter((clause) => !isTime(clause))];
  const own = username === undefined ? [] : [{ sql: "username = ?", params: [username] }];
  return joined([...own, ...ordered.map(conditionOf)], " AND ", "1");
}

/** Column names come from the list above, whatever was asked; values are always parameters. */
function conditionOf(clause: Clause): Condition {
  const columns = AUDIT_COLUMNS.filter((column) => clause.columns.includes(column));
  if (clause.kind === "text") {
    return joined(
      clause.groups.map((group) => groupCondition(columns, group)),
      " OR ",
      "0",
    );
  }
  return timeCondition(clause);
}

/** Times are kept in one form, so that texts compare as times do; one of the bounds must fit. */
function timeCondition({ operator, bounds }: Extract<Clause, { kind: "time" }>): Condition {
  const times = bounds.map((bound) => new Date(bound).toISOString()).sort();
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) return NOTHING;
  if (operator === "eq") {
    const sql = "timestamp IN (SELECT value FROM json_each(?))";
    return { sql, params: [JSON.stringify(times)] };
  }
  const loosest = operator === "gt" || operator === "since" ? first : last;
  return { sql: `timestamp ${COMPARISONS[operator]} ?`, params: [loosest] };
}

function groupCondition(columns: readonly AuditColumn[], group: Group): Condition {
  const { all, patterns } = group;
  const fits = {
    sql: `${FITS}(?, ${columns.join(", ")})`,
    params: [JSON.stringify({ all, patterns } satisfies PatternGroup)],
  };
  if (all) return patterns.length === 0 ? NOTHING : fits;
  const conditions: Condition[] = [];
  if (group.exact.length > 0) {
    const exact = JSON.stringify(group.exact);
    const test = "COLLATE NOCASE IN (SELECT value FROM json_each(?))";
    for (const column of columns) conditions.push({ sql: `${column} ${test}`, params: [exact] });
  }
  if (patterns.length > 0) conditions.push(fits);
  return joined(conditions, " OR ", "0");
}

function joined(conditions: readonly Condition[], by: string, none: string): Condition {
  if (conditions.length === 0) return { sql: none, params: [] };
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(by)})`,
    params: conditions.flatMap(({ params }) => params),
  };
}
