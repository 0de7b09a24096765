import type { Restore } from "../tunnels/tunnelSettings.ts";
import type { Fleet } from "./fleet.ts";

/** What opening tunnels of before needs. */
export interface TunnelRestorerDeps {
  readonly fleet: Pick<Fleet, "servers" | "changed">;
  readonly tunnels: {
    load(): Promise<void>;
    restore(serverKey: string): Promise<void>;
  };
  /** What the person wants to become of tunnels of before. */
  readonly restore: () => Restore;
}

/**
 * Has the tunnels of before read, and opened again by themselves where that is wanted: at the start, and when
 * a server that was signed out of, or was away, is there again.
 */
export class TunnelRestorer {
  readonly #deps: TunnelRestorerDeps;
  readonly #unsubscribe: () => void;

  constructor(deps: TunnelRestorerDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.fleet.changed.add((event) => {
      if (event.kind !== "server" || event.change.kind !== "state") return;
      if (event.server.state.kind === "connected") void this.#restore(event.server.key);
    });
    void this.#start();
  }

  /** Opens no more. */
  dispose(): void {
    this.#unsubscribe();
  }

  async #start(): Promise<void> {
    await this.#deps.tunnels.load();
    for (const { key, state } of this.#deps.fleet.servers) {
      if (state.kind !== "signedOut" && state.kind !== "changed") await this.#restore(key);
    }
  }

  async #restore(serverKey: string): Promise<void> {
    if (this.#deps.restore() === "always") await this.#deps.tunnels.restore(serverKey);
  }
}
