import type { AuditRow } from "@rport/protocol/audit";

/** What somebody wants to see of the audit log; an absent part does not narrow. */
export interface AuditFilter {
  readonly username?: string;
  readonly action?: string;
  readonly affected_id?: string;
  readonly client_id?: string;
  /** RFC 3339. */
  readonly since?: string;
}

/** How a part of the filter is called, in the order in which it is shown. */
export const FILTER_NAMES: Readonly<Record<keyof AuditFilter, string>> = {
  username: "User",
  action: "Action",
  affected_id: "Affected ID",
  client_id: "Client ID",
  since: "Since",
};

/** The query of `listAudit` for a page of what the filter leaves. */
export function auditQuery(
  filter: AuditFilter,
  page: { readonly limit: number; readonly offset: number },
): Record<string, string> {
  const { since, ...texts } = filter;
  const query: Record<string, string> = {
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

/** The document: a heading, then a line for each entry with its facts below it. */
export function auditText(facts: AuditFacts): string {
  const { serverName, filter, rows, hasMore, failure } = facts;
  const narrowed = filterText(filter);
  const heading = [
    `# Audit log of ${oneLine(serverName)}, newest first`,
    ...(narrowed === "" ? [] : [`# Filter: ${oneLine(narrowed)}`]),
    "",
  ];
  const end =
    rows.length === 0 ? "# Nothing was recorded." : hasMore ? "# There is more." : "# That is all.";
  return `${[...heading, ...rows.map(entryText), failure === undefined ? end : `# ${failure}`].join("\n")}\n`;
}

/** Values come from agents and users: one line each, so that none can pass for another entry. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
}

function entryText(row: AuditRow): string {
  const { timestamp, username, remote_ip: address, application, action } = row;
  const who = username === "" ? "" : `by ${username}`;
  const from = address === "" ? "" : `from ${address}`;
  const what = [timestamp, application, action, row.affected_id, who, from];
  const client = [row.client_hostname, row.client_id === "" ? "" : `(${row.client_id})`];
  const details = [
    ["client", client.filter(Boolean).join(" ")],
    ["asked", row.request],
    ["result", row.response],
  ].filter(([, value]) => value !== "" && value !== "{}" && value !== "null");
  return [
    what
      .filter((part) => part !== "")
      .map(oneLine)
      .join("  "),
    ...details.map(([name = "", value = ""]) => `    ${`${name}:`.padEnd(8)} ${oneLine(value)}`),
  ].join("\n");
}
