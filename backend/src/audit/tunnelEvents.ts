import type { AuthId, ClientId } from "@rport/protocol/ids";
import type { Limits } from "../limits/limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { StoredTunnel } from "../store/records/clientRecord.ts";
import { Bursts } from "./bursts.ts";
import type { CredentialShares } from "./credentialShares.ts";
import type { Audit, AuditEntry } from "./entry.ts";

const HOUR_MS = 3_600_000;
const CLIENTS_MAX = 100_000;

/** What tunnels' entries are written with. */
export interface TunnelEventsDeps {
  readonly audit: Pick<Audit, "note">;
  readonly shares: Pick<CredentialShares, "of">;
  readonly limits: Pick<Limits, "max">;
  readonly clock: Clock;
}

/** The agent whose tunnel it is. */
export interface TunnelAgent {
  readonly clientId: ClientId;
  readonly session: { readonly credentialId: AuthId };
}

/** Writes down tunnels that come and go without a person asking. Nobody waits for these entries. */
export class TunnelEvents {
  readonly #deps: TunnelEventsDeps;
  readonly #asked: Bursts;

  constructor(deps: TunnelEventsDeps) {
    this.#deps = deps;
    const { audit, clock, limits } = deps;
    const max = limits.max("tunnels_per_client");
    this.#asked = new Bursts({ audit, clock, max, windowMs: HOUR_MS, keysMax: CLIENTS_MAX });
  }

  /** An agent asked for a tunnel to itself that was not there before, and got it. */
  askedFor({ clientId, session }: TunnelAgent, tunnel: StoredTunnel): void {
    const entry = { ...entryOf("create", clientId, tunnel), request: { by: "agent" } };
    this.#asked.note(clientId, entry, this.#deps.shares.of(session.credentialId));
  }

  /**
   * A tunnel was closed because nobody used it, or because of its age. An agent can ask anew each time
   * for ones that are old at once: those without a person behind them are counted as `askedFor`.
   */
  expired({ clientId, session }: TunnelAgent, tunnel: StoredTunnel, why: "idle" | "age"): void {
    const { audit, shares } = this.#deps;
    const entry = { ...entryOf("expire", clientId, tunnel), request: { why } };
    if (tunnel.owner === "")
      this.#asked.note(`expire ${clientId}`, entry, shares.of(session.credentialId));
    else audit.note(entry);
  }

  /** Writes all that was only counted so far. */
  close(): void {
    this.#asked.close();
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
