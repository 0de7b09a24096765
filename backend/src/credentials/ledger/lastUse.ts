import type { SecretId } from "@rport/protocol/ids";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { errorText } from "../../platform/log.ts";
import type { SecretRows } from "../../store/secretRows.ts";

/** A login may be shown as this much older after a crash; in return it costs no write of its own. */
const FLUSH_MS = 30_000;

/** Writes down when secrets were used, many at a time. */
export class LastUse {
  readonly #rows: SecretRows;
  readonly #clock: Clock;
  readonly #log: Log;
  #times = new Map<SecretId, number>();
  #timer: Timer | undefined;

  constructor(deps: { rows: SecretRows; clock: Clock; log: Log }) {
    this.#rows = deps.rows;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** Notes a use; it is on disk half a minute later. */
  note(id: SecretId): void {
    this.#times.set(id, this.#clock.now());
    this.#timer ??= this.#clock.after(FLUSH_MS, () => void this.flush());
  }

  /** Writes what was noted. A disk that refuses costs these times, nothing else. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const times = this.#times;
    this.#times = new Map();
    const edits = [...times].map(([id, atMs]) => ({ kind: "used" as const, id, atMs }));
    try {
      await this.#rows.apply(edits);
    } catch (caught) {
      this.#log.warn("times of last use were not written", { reason: errorText(caught) });
    }
  }
}
