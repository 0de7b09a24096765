import type { Audit } from "../../audit/entry.ts";
import type { AuditIndex } from "../../audit/index/auditIndex.ts";
import type { Handlers } from "../endpoints.ts";
import { parseAuditQuery } from "./auditList.ts";

/** What the handler of the audit log needs. */
export interface AuditHandlerDeps {
  readonly audit: Pick<Audit, "settled">;
  readonly index: Pick<AuditIndex, "list">;
}

/** Serves `/auditlog` as RPort does, with everything that happened before the request. */
export function auditHandlers({ audit, index }: AuditHandlerDeps): Pick<Handlers, "listAudit"> {
  return {
    async listAudit({ query }) {
      const wanted = parseAuditQuery(query);
      await audit.settled();
      const { rows, count } = await index.list(wanted);
      return { data: rows, count };
    },
  };
}
