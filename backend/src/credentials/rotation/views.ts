import type { AuthId } from "@rport/protocol/ids";
import type { Rotation } from "@rport/protocol/model";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { ShownTimes } from "../../platform/steadyTime.ts";
import type { RotationRow } from "../../store/records/secretRow.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort, CredentialTouch } from "../ports.ts";
import { toRotation } from "./progress.ts";
import { LARGE_FLEET, LOOK_MS } from "./rotations.ts";

/** What the views need. */
export interface RotationViewsDeps {
  readonly clock: Clock;
  readonly touch: CredentialTouch;
  readonly clients: ClientPort;
  readonly times: ShownTimes;
}

/** What was seen at the last look. */
interface Look {
  readonly row: RotationRow;
  readonly rotation: Rotation | undefined;
  readonly atMs: number;
}

/**
 * Rotations as people see them. Every login shows its credential anew, and how far a rotation is
 * takes a look at every client: a large fleet is looked at once per `LOOK_MS`, and whoever was told
 * an earlier state is told the later one then.
 */
export class RotationViews {
  readonly #deps: RotationViewsDeps;
  readonly #looks = new WeakMap<LedgerEntry, Look>();
  readonly #timers = new Map<AuthId, Timer>();

  constructor(deps: RotationViewsDeps) {
    this.#deps = deps;
  }

  /** The rotation that is under way; undefined: there is none, which no client is asked for. */
  of(entry: LedgerEntry): Rotation | undefined {
    const { rotation: row } = entry;
    if (row === undefined || row.ended_at !== null) return undefined;
    const { clock, clients, times } = this.#deps;
    const nowMs = clock.monotonic();
    const last = this.#looks.get(entry);
    if (last?.row === row && nowMs - last.atMs < LOOK_MS) {
      this.#tellLater(entry.id, last.atMs + LOOK_MS - nowMs);
      return last.rotation;
    }
    const rotation = toRotation(entry, clients.clientsOf(entry.id), times);
    const { total } = clients.countOf(entry.id);
    if (total > LARGE_FLEET) this.#looks.set(entry, { row, rotation, atMs: nowMs });
    else this.#looks.delete(entry);
    return rotation;
  }

  /** Stops its timers. */
  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #tellLater(id: AuthId, ms: number): void {
    if (this.#timers.has(id)) return;
    const { clock, touch } = this.#deps;
    const timer = clock.after(ms, () => {
      this.#timers.delete(id);
      touch("credential", id);
    });
    this.#timers.set(id, timer);
  }
}
