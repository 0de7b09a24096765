import type { AuthId } from "@rport/protocol/ids";
import type { Limits } from "../limits/limits.ts";
import type { LimitName } from "../limits/limitTable.ts";
import { type Allowance, Budget } from "../platform/budget.ts";
import type { Clock } from "../platform/clock.ts";
import { Bursts } from "./bursts.ts";
import { lineBytes } from "./chain.ts";
import type { Audit, AuditEntry } from "./entry.ts";

const DAY_S = 86_400;
const HOUR_MS = 3_600_000;
const CREDENTIALS_MAX = 10_000;
const ENTRIES = "connection_entries_per_credential";
const BYTES = "connection_entry_bytes_per_credential";

/** What the shares are kept with. */
export interface CredentialSharesDeps {
  readonly audit: Pick<Audit, "note">;
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Clock;
}

/**
 * What the hosts of a credential may write into the audit log by coming and going: as many entries at
 * once, and in a day, as it has hosts at the most, and as many bytes as those usually have, since hosts
 * decide how long their names are. Those beyond are counted, in one entry an hour for each kind, so that
 * no stolen secret fills the disk or buries what others did.
 */
export class CredentialShares {
  readonly #deps: CredentialSharesDeps;
  readonly #spent: Budget<AuthId>;
  readonly #spentBytes: Budget<AuthId>;
  readonly #counted: Bursts;

  constructor(deps: CredentialSharesDeps) {
    this.#deps = deps;
    const { audit, clock } = deps;
    this.#spent = new Budget({ clock, keysMax: CREDENTIALS_MAX });
    this.#spentBytes = new Budget({ clock, keysMax: CREDENTIALS_MAX });
    this.#counted = new Bursts({ audit, clock, max: 0, windowMs: HOUR_MS });
  }

  /** The log, as far as this credential has a share of it. */
  of(credential: AuthId): Pick<Audit, "note"> {
    return { note: (entry) => this.#note(credential, entry) };
  }

  /** Writes all that was only counted so far. */
  close(): void {
    this.#counted.close();
  }

  #note(credential: AuthId, entry: AuditEntry): void {
    const { audit, limits } = this.#deps;
    const met = this.#spend(credential, lineBytes(entry));
    if (met === undefined) {
      audit.note(entry);
      return;
    }
    limits.bite(met, { credential });
    this.#counted.note(`${credential} ${entry.application} ${entry.action}`, entry);
  }

  /** Spends an entry of so many bytes; answers the limit that is in its way, and then spends nothing. */
  #spend(credential: AuthId, bytes: number): LimitName | undefined {
    const [entries, ofBytes] = [this.#daily(ENTRIES), this.#daily(BYTES)];
    if (this.#spentBytes.waitMs(credential, bytes, ofBytes) > 0) return BYTES;
    if (this.#spent.spend(credential, 1, entries) > 0) return ENTRIES;
    this.#spentBytes.charge(credential, bytes, ofBytes);
    return undefined;
  }

  #daily(limit: LimitName): Allowance {
    const burst = this.#deps.limits.max(limit);
    return { burst, perSecond: burst / DAY_S };
  }
}
