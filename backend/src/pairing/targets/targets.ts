import type { PairingId } from "@rport/protocol/ids";
import type { EmbeddedTarget } from "./embedded.ts";
import type { PairingTarget, PairingWatcher } from "./target.ts";

/** Which of the targets is meant. */
export type TargetName = "configured" | "embedded";

/** This server itself, and the service that its configuration names, where that is another one. */
export class Targets {
  readonly #embedded: EmbeddedTarget;
  readonly #configured: PairingTarget;

  constructor(embedded: EmbeddedTarget, configured: PairingTarget = embedded) {
    this.#embedded = embedded;
    this.#configured = configured;
  }

  /** The target of that name. */
  of(name: TargetName): PairingTarget {
    return name === "embedded" ? this.#embedded : this.#configured;
  }

  /** Tells this watcher, and only this one, what becomes of the deposits of all. */
  watch(watcher: PairingWatcher): void {
    for (const target of this.#all()) target.watch(watcher);
  }

  /** As `PairingTarget.revoke`, wherever it was deposited. */
  async revoke(id: PairingId): Promise<void> {
    await Promise.all([...this.#all()].map((target) => target.revoke(id)));
  }

  #all(): ReadonlySet<PairingTarget> {
    return new Set([this.#embedded, this.#configured]);
  }
}
