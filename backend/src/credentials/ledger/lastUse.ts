import type { AuthId, SecretId } from "@rport/protocol/ids";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { errorText } from "../../platform/log.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { SecretEdit } from "../../store/edits/secretEdit.ts";

/** A login may be shown as this much older after a crash; in return it costs no write of its own. */
const FLUSH_MS = 30_000;

/** What the times of last use need. */
export interface LastUseDeps {
  readonly store: Pick<EditStore, "announce" | "settle">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tells when secrets were used at once, and writes it down many at a time. */
export class LastUse {
  readonly #deps: LastUseDeps;
  #owed = new Map<SecretId, SecretEdit>();
  #timer: Timer | undefined;

  constructor(deps: LastUseDeps) {
    this.#deps = deps;
  }

  /** A secret was used now; it is on disk half a minute later. */
  note(credential: AuthId, id: SecretId): void {
    const { store, clock } = this.#deps;
    const used: SecretEdit = { kind: "used", credential, id, atMs: clock.now() };
    store.announce([used]);
    this.#owed.set(id, used);
    this.#timer ??= clock.after(FLUSH_MS, () => void this.flush());
  }

  /** Writes what was noted. A disk that refuses costs these times, nothing else. */
  async flush(): Promise<void> {
    const { store, log } = this.#deps;
    this.#timer?.cancel();
    this.#timer = undefined;
    const owed = [...this.#owed.values()];
    this.#owed = new Map();
    try {
      await store.settle(owed);
    } catch (caught) {
      log.warn("times of last use were not written", { reason: errorText(caught) });
    }
  }
}
