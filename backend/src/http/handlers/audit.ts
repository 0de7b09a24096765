import type { Audit } from "../../audit/entry.ts";
import type { AuditIndex } from "../../audit/index/auditIndex.ts";
import type { AuditQuery } from "../../audit/index/auditQuery.ts";
import type { RawQuery } from "../../lists/listSpec.ts";
import type { Actor } from "../../users/actor.ts";
import type { Handlers } from "../endpoints.ts";
import { parseAuditQuery, refuseNames } from "./auditList.ts";

/** What the handler of the audit log needs. */
export interface AuditHandlerDeps {
  readonly audit: Pick<Audit, "settled">;
  readonly index: Pick<AuditIndex, "list">;
}

/** Serves `/auditlog` as RPort does, with everything that happened before the request. */
export function auditHandlers({ audit, index }: AuditHandlerDeps): Pick<Handlers, "listAudit"> {
  return {
    async listAudit({ query }, { actor }) {
      const wanted = auditQueryOf(actor, query);
      await audit.settled();
      const { rows, count } = await index.list(wanted);
      return { data: rows, count };
    },
  };
}

/** Administrators see what everybody did, everybody else what they did themselves. */
function auditQueryOf({ isAdministrator, name }: Actor, query: RawQuery): AuditQuery {
  const wanted = parseAuditQuery(query);
  if (isAdministrator) return wanted;
  refuseNames(query);
  return { ...wanted, username: name };
}
