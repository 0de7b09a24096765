import type { Statement } from "../../store/sqlite/database.ts";
import { AUDIT_COLUMNS, type AuditQuery, conditionOfQuery, type Span } from "./auditQuery.ts";

/**
 * What a search has found, in the order that it is asked for, while it is under way: a table of the
 * connection, which is never in the file. Each step puts its entries where they belong; so no single
 * statement has to sort all of them.
 */

/** The statement that drops the table, if there is one. */
export const FORGET_FOUND: Statement = { sql: "DROP TABLE IF EXISTS temp.found", params: [] };

/** The statement that counts what was found. */
export const COUNT_FOUND: Statement = {
  sql: "SELECT count(*) AS count FROM temp.found",
  params: [],
};

/** The statement that makes the table. */
export function foundTable(query: AuditQuery): Statement {
  const keys = query.sorts.map(({ column }, n) =>
    column === "seq" ? `${keyOf(n)} INTEGER` : `${keyOf(n)} TEXT COLLATE NOCASE`,
  );
  const columns = [...keys, "seq INTEGER"].map((column) => `${column} NOT NULL`).join(", ");
  return {
    sql: `CREATE TEMP TABLE found (${columns}, PRIMARY KEY (${orderOf(query)})) WITHOUT ROWID`,
    params: [],
  };
}

/** The statement that finds what fits in a span. */
export function collectStatement(query: AuditQuery, { from, to }: Span): Statement {
  const { sql, params } = conditionOfQuery(query);
  const columns = [...query.sorts.map(({ column }) => column), "seq"].join(", ");
  return {
    sql: `INSERT INTO temp.found SELECT ${columns} FROM audit WHERE seq BETWEEN ? AND ? AND ${sql}`,
    params: [from, to, ...params],
  };
}

/** The statement that reads the page of what was found. */
export function foundPage(query: AuditQuery): Statement {
  const order = orderOf(query);
  const columns = ["seq", ...AUDIT_COLUMNS, "request", "response"].map((name) => `audit.${name}`);
  const page = `SELECT * FROM temp.found ORDER BY ${order} LIMIT ? OFFSET ?`;
  return {
    sql: `SELECT ${columns.join(", ")} FROM (${page}) AS page JOIN audit ON audit.seq = page.seq
          ORDER BY ${orderOf(query, "page.")}`,
    params: [query.limit, query.offset],
  };
}

/** Times may go back when a clock is set; the order of writing settles ties. */
function orderOf({ sorts }: AuditQuery, table = ""): string {
  const keys = sorts.map(({ descending }, n) => `${table}${keyOf(n)}${descending ? " DESC" : ""}`);
  const isNewestFirst = sorts[0]?.descending === true;
  return [...keys, `${table}seq${isNewestFirst ? " DESC" : ""}`].join(", ");
}

function keyOf(place: number): string {
  return `key_${place}`;
}
