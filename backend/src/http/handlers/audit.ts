import { RportError } from "@rport/protocol/errors";
import type { Audit } from "../../audit/entry.ts";
import type { AuditIndex } from "../../audit/index/auditIndex.ts";
import type { AuditQuery } from "../../audit/index/auditQuery.ts";
import type { RawQuery } from "../../lists/listSpec.ts";
import type { AccountLedger } from "../../users/accounts/accountLedger.ts";
import type { Actor } from "../../users/actor.ts";
import type { Handlers } from "../endpoints.ts";
import { parseAuditQuery, refuseNames } from "./auditList.ts";

/** What the handler of the audit log needs. */
export interface AuditHandlerDeps {
  readonly audit: Pick<Audit, "settled">;
  readonly index: Pick<AuditIndex, "list">;
  readonly people: Pick<AccountLedger, "get">;
}

/** Serves `/auditlog` as RPort does, with everything that happened before the request. */
export function auditHandlers({
  audit,
  index,
  people,
}: AuditHandlerDeps): Pick<Handlers, "listAudit"> {
  return {
    async listAudit({ query }, { actor, requireRight }) {
      const { isAdministrator } = actor;
      const wanted = auditQueryOf(actor, query, people);
      await audit.settled();
      const { rows, count } = await index.list(actor, wanted);
      // A search waits for those of others: whoever asked may see less by now.
      requireRight();
      if (isAdministrator && !actor.isAdministrator) throw changed();
      return { data: rows, count };
    },
  };
}

function changed(): RportError {
  return new RportError("FORBIDDEN", "Your rights were changed during the search.");
}

/**
 * Administrators see what everybody did, everybody else what they did themselves: not what somebody
 * did who had their name before them.
 */
function auditQueryOf(
  { isAdministrator, name }: Actor,
  query: RawQuery,
  people: AuditHandlerDeps["people"],
): AuditQuery {
  const wanted = parseAuditQuery(query);
  if (isAdministrator) return wanted;
  refuseNames(query);
  const record = people.get(name)?.record;
  const since = record?.named_at ?? record?.created_at;
  const bounds = since === undefined ? [] : [Date.parse(since)];
  const theirs = {
    kind: "time" as const,
    columns: ["timestamp"],
    operator: "since" as const,
    bounds,
  };
  return { ...wanted, clauses: [...wanted.clauses, theirs], username: name };
}
