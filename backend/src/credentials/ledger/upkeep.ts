import type { Clock, Timer } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { errorText } from "../../platform/log.ts";
import type { SteadyTime } from "../../platform/steadyTime.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import type { SecretRow } from "../../store/records/secretRow.ts";
import type { Ledger } from "./ledger.ts";

/** How often leftovers are looked for. */
const INTERVAL_MS = 3_600_000;
/** A revoked secret is shown, and told apart from a wrong one, this long. */
const REVOKED_KEPT_MS = 30 * 86_400_000;
/** A secret that nobody began to use in time is shown as expired this long. */
const UNUSED_KEPT_MS = 3_600_000;

/** What the upkeep needs. */
export interface UpkeepDeps {
  readonly ledger: Ledger;
  readonly store: Pick<EditStore, "commit">;
  readonly clock: Clock;
  readonly steady: SteadyTime;
  readonly log: Log;
}

/** Removes secrets that open nothing and explain nothing any more. */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  #timer: Timer | undefined;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  /** Sweeps now and every hour. */
  start(): void {
    void this.sweep();
    this.#timer = this.#deps.clock.after(INTERVAL_MS, () => this.start());
  }

  /** No further sweeps. */
  stop(): void {
    this.#timer?.cancel();
  }

  /** Removes what is old enough. What the disk refuses stays for the next time. */
  async sweep(): Promise<void> {
    const { ledger, store, steady, log } = this.#deps;
    for (const entry of ledger.all()) {
      const old = entry.secrets().filter((row) => isLeftover(row, steady()));
      const edits = old.map(({ id }): SecretEdit => ({ kind: "remove", credential: entry.id, id }));
      await store.commit(edits).catch((caught: unknown) => {
        log.warn("old secrets were not removed", { reason: errorText(caught) });
      });
    }
  }
}

function isLeftover(row: SecretRow, nowMs: number): boolean {
  if (row.state === "revoked") return row.state_since < nowMs - REVOKED_KEPT_MS;
  if (row.client_id !== null || row.unbound_until === null) return false;
  return row.unbound_until < nowMs - UNUSED_KEPT_MS;
}
