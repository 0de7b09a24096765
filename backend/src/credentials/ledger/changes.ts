import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { CredentialLimits, CredentialLimitsChange } from "@rport/protocol/model";
import type { DeletionReport } from "@rport/protocol/report";
import { whyNotCidrs } from "../../platform/addressRule.ts";
import { errorText, type Log } from "../../platform/log.ts";
import type { SteadyTime } from "../../platform/steadyTime.ts";
import type { PairingPort, SessionPort } from "../ports.ts";
import type { RemovalOptions } from "../removal/removals.ts";
import { isExpired } from "./expiry.ts";
import type { Ledger } from "./ledger.ts";
import type { LiveCredential } from "./liveCredential.ts";

/** What people may change about a credential; what is absent stays. */
export interface CredentialChange {
  readonly label?: string | undefined;
  readonly kind?: "host" | "fleet" | undefined;
  /** Each limit that is given replaces the one before; the others stay. */
  readonly limits?: CredentialLimitsChange | undefined;
}

/** What changes need. */
export interface ChangeDeps {
  readonly ledger: Ledger;
  readonly steady: SteadyTime;
  readonly sessions: () => SessionPort;
  readonly pairings: () => PairingPort;
}

/**
 * Changes what is written down about a credential. Clients that are connected stay so, whatever the
 * limits are now. Fails with `ERR_CODE_INVALID_REQUEST`, which says why.
 */
export async function changeCredential(
  live: LiveCredential,
  change: CredentialChange,
  { ledger }: Pick<ChangeDeps, "ledger">,
): Promise<void> {
  const reason = whyNotCidrs(change.limits?.cidrs ?? []);
  if (reason !== undefined) throw new RportError("ERR_CODE_INVALID_REQUEST", reason);
  await ledger.update(live, (record) => ({
    ...record,
    label: change.label ?? record.label,
    kind: change.kind ?? record.kind,
    limits: { ...record.limits, ...given(change.limits ?? {}) },
  }));
}

/** What purges need. */
export interface PurgeDeps extends ChangeDeps {
  readonly log: Log;
  readonly remove: (id: AuthId, options: RemovalOptions) => Promise<DeletionReport>;
}

/** What a purge did to each credential, or would do. */
export interface Purge {
  readonly removed: readonly { readonly id: AuthId; readonly report: DeletionReport }[];
  /** Those that are still there, or are gone only until the next start (`NOT_DURABLE`). */
  readonly failed: readonly { readonly id: AuthId; readonly error: RportError }[];
}

/**
 * Removes the credentials that no client uses or could be about to use, one by one as by hand:
 * no records, no sessions, no open pairing, no pairing that was claimed just now. One that cannot be
 * removed keeps none of the others; never fails.
 */
export async function purgeUnused(dryRun: boolean, deps: PurgeDeps): Promise<Purge> {
  const removed: Purge["removed"][number][] = [];
  const failed: Purge["failed"][number][] = [];
  for (const live of deps.ledger.all().filter((one) => isUnused(one, deps))) {
    const { id } = live;
    // While the ones before were removed, somebody may have begun to use it.
    if (deps.ledger.get(id) !== live || !isUnused(live, deps)) continue;
    try {
      const how = { force: false, purge: false, dryRun, onlyUnused: true };
      removed.push({ id, report: await deps.remove(id, how) });
    } catch (caught) {
      const error = RportError.from(caught);
      // Somebody uses it, or removed it, since that look.
      if (error.status < 500) continue;
      deps.log.error("an unused credential was not removed", { id, reason: errorText(caught) });
      failed.push({ id, error });
    }
  }
  return { removed, failed };
}

function isUnused(live: LiveCredential, { sessions, pairings, steady }: ChangeDeps): boolean {
  if (live.record.state !== "active" || sessions().countOf(live.id).total > 0) return false;
  if (sessions().ofCredential(live.id).length > 0 || pairings().openOf(live.id) > 0) return false;
  const waiting = live
    .secrets()
    .filter(({ unbound_until, client_id }) => unbound_until !== null && client_id === null);
  return waiting.every((row) => row.state === "revoked" || isExpired(row, steady()));
}

/** Without the members that are there and undefined. */
function given(limits: CredentialLimitsChange): Partial<CredentialLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
