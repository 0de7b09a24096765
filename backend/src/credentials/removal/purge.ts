import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import { errorText, type Log } from "../../platform/log.ts";
import type { SteadyTime } from "../../platform/steadyTime.ts";
import { isExpired } from "../ledger/expiry.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort, PairingPort, SessionPort } from "../ports.ts";
import type { Removals } from "./removals.ts";

/** What purges need. */
export interface PurgeDeps {
  readonly ledger: Ledger;
  readonly removals: Pick<Removals, "preview" | "remove">;
  readonly clients: ClientPort;
  readonly sessions: SessionPort;
  readonly pairings: PairingPort;
  readonly steady: SteadyTime;
  readonly log: Log;
}

/** What a purge did to each credential, or would do. */
export interface PurgeReport {
  readonly removed: readonly { readonly id: AuthId; readonly report: DeletionReport }[];
  /** Those that are still there, or are gone only until the next start (`NOT_DURABLE`). */
  readonly failed: readonly { readonly id: AuthId; readonly error: RportError }[];
}

/** Only credentials without a client; not even a host that is about to come in may be there. */
const ONLY_UNUSED = { force: false, purge: false, onlyUnused: true } as const;

/**
 * Removes the credentials that no client uses or could be about to use, one by one as by hand:
 * no records, no sessions, no open pairing, no pairing that was claimed just now.
 */
export class Purge {
  readonly #deps: PurgeDeps;

  constructor(deps: PurgeDeps) {
    this.#deps = deps;
  }

  /** Tells what would go. Nothing happens. */
  preview(): PurgeReport {
    const { removals } = this.#deps;
    const removed = this.#unused().map(({ id }) => ({
      id,
      report: removals.preview(id, ONLY_UNUSED),
    }));
    return { removed, failed: [] };
  }

  /** Removes them. One that cannot be removed keeps none of the others; never fails. */
  async run(): Promise<PurgeReport> {
    const { ledger, removals, log } = this.#deps;
    const removed: PurgeReport["removed"][number][] = [];
    const failed: PurgeReport["failed"][number][] = [];
    for (const entry of this.#unused()) {
      const { id } = entry;
      // While the ones before were removed, somebody may have begun to use it.
      if (ledger.get(id) !== entry || !this.#isUnused(entry)) continue;
      try {
        removed.push({ id, report: await removals.remove(id, ONLY_UNUSED) });
      } catch (caught) {
        const error = RportError.from(caught);
        // Somebody uses it, or removed it, since that look.
        if (error.status < 500) continue;
        log.error("an unused credential was not removed", { id, reason: errorText(caught) });
        failed.push({ id, error });
      }
    }
    return { removed, failed };
  }

  #unused(): LedgerEntry[] {
    return this.#deps.ledger.all().filter((entry) => this.#isUnused(entry));
  }

  #isUnused(entry: LedgerEntry): boolean {
    const { clients, sessions, pairings, steady } = this.#deps;
    if (entry.record.state !== "active" || clients.countOf(entry.id).total > 0) return false;
    if (sessions.ofCredential(entry.id).length > 0 || pairings.openOf(entry.id) > 0) return false;
    const waiting = entry
      .secrets()
      .filter(({ unbound_until, client_id }) => unbound_until !== null && client_id === null);
    return waiting.every((row) => row.state === "revoked" || isExpired(row, steady()));
  }
}
