import type { AuditRow } from "@rport/protocol/audit";
import { t } from "@vscode/l10n";
import { plural } from "../support/plural.ts";
import { inertLine } from "../support/text.ts";

/** What somebody wants to see of the audit log; an absent part does not narrow. */
export interface AuditFilter {
  readonly username?: string;
  readonly application?: string;
  readonly action?: string;
  readonly affected_id?: string;
  readonly client_id?: string;
  /** RFC 3339. */
  readonly since?: string;
}

/** How a part of the filter is called, in the order in which it is shown. */
export const FILTER_NAMES: Readonly<Record<keyof AuditFilter, string>> = {
  username: t("User"),
  application: t("Application"),
  action: t("Action"),
  affected_id: t("Affected ID"),
  client_id: t("Client ID"),
  since: t("Since"),
};

/** The query of `listAudit` for a page of what the filter leaves. */
export function auditQuery(
  filter: AuditFilter,
  page: { readonly limit: number; readonly offset: number },
): Record<string, string> {
  const { since, ...texts } = filter;
  const query: Record<string, string> = {
    sort: "-seq",
    "page[limit]": String(page.limit),
    "page[offset]": String(page.offset),
  };
  for (const [name, value] of Object.entries(texts)) query[`filter[${name}]`] = value;
  if (since !== undefined) query["filter[timestamp][since]"] = since;
  return query;
}

/** A filter as words: `User: admin, Action: rotate`; empty without one. */
export function filterText(filter: AuditFilter): string {
  const names = Object.keys(FILTER_NAMES) as (keyof AuditFilter)[];
  return names
    .flatMap((name) => (filter[name] === undefined ? [] : `${FILTER_NAMES[name]}: ${filter[name]}`))
    .join(", ");
}

/** What an audit document is made of. */
export interface AuditFacts {
  readonly serverName: string;
  readonly filter: AuditFilter;
  /** Newest first. */
  readonly rows: readonly AuditRow[];
  readonly hasMore: boolean;
  /** Why the log could not be read, as a sentence. */
  readonly failure: string | undefined;
}

/** The columns of the table: what stands above, and how an entry fills it. */
const COLUMNS: readonly { readonly title: string; readonly of: (row: AuditRow) => string }[] = [
  { title: `# ${t("Time (UTC)")}`, of: ({ timestamp }) => timeText(timestamp) },
  { title: t("Who"), of: ({ username }) => username || NOBODY },
  { title: t("From"), of: ({ remote_ip: address }) => address || NOBODY },
  { title: t("What"), of: ({ application, action }) => `${application} ${action}` },
  { title: t("About"), of: ({ affected_id: id }) => id },
];

/** Agents, installers and the server itself have no user; the server has no address. */
const NOBODY = "-";
/** Wider values push the rest of their line to the right. */
const COLUMN_MAX = 32;
/** Facts stand below their entry, indented. */
const INDENT = " ".repeat(4);
/** How the facts of an entry are called. */
const FACT_NAMES = { client: t("client"), asked: t("asked"), result: t("result") } as const;
/** Facts stand in a column. */
const FACT_NAME_WIDTH = Math.max(7, ...Object.values(FACT_NAMES).map(({ length }) => length));
/** Longer facts are cut: an editor draws no line of any length. */
const FACT_MAX = 2_000;

/** The document: a heading, then a table with a line for each entry and its facts below it. */
export function auditText(facts: AuditFacts): string {
  const { serverName, filter, rows, hasMore, failure } = facts;
  const narrowed = filterText(filter);
  const lines = rows.map((row) => COLUMNS.map(({ of }) => inertLine(of(row))));
  const titles = COLUMNS.map(({ title }) => title);
  const widths = titles.map((title, at) =>
    Math.min(COLUMN_MAX, Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0))),
  );
  const heading = [
    `# ${t("Audit log of {0}, newest first", inertLine(serverName))}`,
    ...(narrowed === "" ? [] : [`# ${t("Filter: {0}", inertLine(narrowed))}`]),
    "",
  ];
  const table = rows.flatMap((row, at) => [aligned(lines[at] ?? [], widths), ...factLines(row)]);
  const end = failure === undefined ? endText(rows.length, hasMore) : `# ${inertLine(failure)}`;
  const above = rows.length === 0 ? [] : [aligned(titles, widths)];
  return `${[...heading, ...above, ...table, "", end].join("\n")}\n`;
}

function endText(rows: number, hasMore: boolean): string {
  if (rows === 0) return `# ${t("Nothing was recorded.")}`;
  const shown = hasMore
    ? plural(
        rows,
        t("{0} entry shown, there are more.", rows),
        t("{0} entries shown, there are more.", rows),
      )
    : plural(rows, t("{0} entry, that is all.", rows), t("{0} entries, that is all.", rows));
  return `# ${shown}`;
}

function timeText(timestamp: string): string {
  return timestamp.replace(/T(\d{2}:\d{2}:\d{2})(\.\d+)?Z$/, " $1");
}

function aligned(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, at) => cell.padEnd(widths[at] ?? 0))
    .join("  ")
    .trimEnd();
}

/** Values come from agents and users: one line each, so that none can pass for another entry. */
function factLines(row: AuditRow): readonly string[] {
  const id = row.client_id === "" ? "" : `(${row.client_id})`;
  const facts: readonly (readonly [string, string])[] = [
    [FACT_NAMES.client, [row.client_hostname, id].filter((part) => part !== "").join(" ")],
    [FACT_NAMES.asked, jsonText(row.request)],
    [FACT_NAMES.result, jsonText(row.response)],
  ];
  return facts
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${INDENT}${name.padEnd(FACT_NAME_WIDTH)} ${cut(inertLine(value))}`);
}

/** Values that say nothing. */
const NOTHING: ReadonlySet<string> = new Set(['""', "null", "[]", "{}"]);

/**
 * `{"reason":"wrong"}` as `reason: wrong`, as far as it is that simple; empty when it says nothing.
 */
function jsonText(json: string): string {
  const value = parseJson(json);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return value === null ? "" : json;
  }
  return Object.entries(value)
    .filter(([, of]) => !NOTHING.has(JSON.stringify(of)))
    .map(([key, of]) => `${key}: ${typeof of === "string" ? of : JSON.stringify(of)}`)
    .join(", ");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function cut(text: string): string {
  return text.length > FACT_MAX ? `${text.slice(0, FACT_MAX)}\u2026` : text;
}
