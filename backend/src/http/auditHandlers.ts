import type { AuditIndex } from "../audit/auditIndex.ts";
import { parseAuditQuery } from "./auditList.ts";
import type { Handlers } from "./endpoints.ts";

/** Serves `/auditlog` as RPort does. */
export function auditHandlers(index: Pick<AuditIndex, "list">): Pick<Handlers, "listAudit"> {
  return {
    async listAudit({ query }) {
      const { rows, count } = await index.list(parseAuditQuery(query));
      return { data: rows, count };
    },
  };
}
