import type { ClientId } from "@rport/protocol/ids";
import type { StoredTunnel } from "../store/records/clientRecord.ts";
import type { Audit, AuditEntry } from "./entry.ts";

/** Writes down tunnels that come and go without a person asking. Nobody waits for these entries. */
export class TunnelEvents {
  readonly #audit: Audit;

  constructor(audit: Audit) {
    this.#audit = audit;
  }

  /** An agent asked for a tunnel to itself that was not there before, and got it. */
  askedFor(clientId: ClientId, tunnel: StoredTunnel): void {
    this.#audit.note({ ...entryOf("create", clientId, tunnel), request: { by: "agent" } });
  }

  /** A tunnel was closed because nobody used it, or because of its age. */
  expired(clientId: ClientId, tunnel: StoredTunnel, why: "idle" | "age"): void {
    this.#audit.note({ ...entryOf("expire", clientId, tunnel), request: { why } });
  }
}

function entryOf(
  action: AuditEntry["action"],
  clientId: ClientId,
  { id, lhost, lport, rhost, rport, protocol }: StoredTunnel,
): AuditEntry {
  const response = { lhost, lport, rhost, rport, protocol };
  return { application: "client.tunnel", action, affectedId: id, clientId, response };
}
