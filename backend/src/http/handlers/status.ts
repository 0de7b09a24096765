import type { ServerStatus } from "@rport/protocol/model";
import type { Handlers } from "../endpoints.ts";

/** Serves `/status`. */
export function statusHandlers(status: () => ServerStatus): Pick<Handlers, "getStatus"> {
  return { getStatus: () => ({ data: status() }) };
}
