import { RportError } from "@rport/protocol/errors";
import { AUDIT_COLUMNS, type AuditQuery, type AuditSort } from "../../audit/index/auditQuery.ts";
import { type Clause, parseClause } from "../../lists/listClause.ts";
import { parsePage } from "../../lists/listQuery.ts";
import { type Parameter, quote, type RawQuery } from "../../lists/listSpec.ts";

/** RPort's figures for this list. */
const LIMIT_DEFAULT = 10;
const LIMIT_MAX = 100;
/** Each filter is a pass over the whole index, and each value with a wildcard another. */
const FILTERS_MAX = 10;
const PATTERNS_MAX = 10;
const SORTS_MAX = 3;
const SORTS: readonly AuditSort[] = [...AUDIT_COLUMNS, "seq"];
const COLUMNS = { columns: AUDIT_COLUMNS, times: ["timestamp"] };

interface Draft {
  readonly clauses: Clause[];
  readonly sorts: AuditQuery["sorts"][number][];
  readonly page: { limit: number; offset: number };
}

/**
 * Reads the query of `GET /auditlog`. Throws one `BAD_REQUEST` that names every parameter that is
 * not understood.
 */
export function parseAuditQuery(query: RawQuery): AuditQuery {
  const draft: Draft = { clauses: [], sorts: [], page: { limit: LIMIT_DEFAULT, offset: 0 } };
  const problems = Object.entries(query).flatMap(([name, value]) => {
    const values = typeof value === "string" ? [value] : value;
    return applyParameter(draft, { name, values }) ?? [];
  });
  problems.push(...tooMuch(draft));
  const [first, ...others] = problems;
  if (first === undefined) return { ...draft, ...draft.page };
  throw new RportError("BAD_REQUEST", first, { detail: others.join("\n") });
}

/** Fails with `FORBIDDEN` where a filter names users, as in RPort. */
export function refuseNames(query: RawQuery): void {
  const names = Object.keys(query).flatMap((name) => /^filter\[([^\]]*)\]/.exec(name)?.[1] ?? []);
  if (!names.some((columns) => columns.split("|").includes("username"))) return;
  const title = "Only members of the group Administrators can filter by user names.";
  throw new RportError("FORBIDDEN", title);
}

function applyParameter(draft: Draft, parameter: Parameter): string | undefined {
  const { name, values } = parameter;
  if (name === "sort") return applySorts(draft, values);
  if (name === "page[limit]" || name === "page[offset]") {
    const page = parsePage(parameter, LIMIT_MAX);
    if (typeof page === "string") return page;
    Object.assign(draft.page, page);
    return undefined;
  }
  if (!name.startsWith("filter[")) return `The parameter ${quote(name)} is unknown here.`;
  const clause = parseClause(parameter, COLUMNS);
  if (typeof clause === "string") return clause;
  draft.clauses.push(clause);
  return undefined;
}

function applySorts({ sorts }: Draft, values: readonly string[]): string | undefined {
  for (const text of values) {
    const descending = text.startsWith("-");
    const name = descending ? text.slice(1) : text;
    const column = SORTS.find((known) => known === name);
    if (column === undefined) return `This list cannot be sorted by ${quote(text)}.`;
    sorts.push({ column, descending });
  }
  return undefined;
}

function tooMuch({ clauses, sorts }: Draft): string[] {
  const patterns = clauses
    .flatMap((clause) => (clause.kind === "text" ? clause.groups : []))
    .reduce((sum, group) => sum + group.patterns.length, 0);
  const problems: string[] = [];
  if (clauses.length > FILTERS_MAX) problems.push(`At most ${FILTERS_MAX} filters are possible.`);
  if (sorts.length > SORTS_MAX) problems.push(`At most ${SORTS_MAX} sorts are possible.`);
  if (patterns > PATTERNS_MAX) {
    problems.push(`At most ${PATTERNS_MAX} values with a wildcard are possible here.`);
  }
  return problems;
}
