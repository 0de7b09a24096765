import type { ClientId, TunnelId } from "@rport/protocol/ids";
import { Turns } from "../platform/turns.ts";
import type { SecretEdit } from "../store/secretEdit.ts";
import type { TakenAlong } from "./mergedRecord.ts";

/** Where everything is kept that goes with a record. */
export interface AdoptionDeps {
  readonly registry: {
    move(to: ClientId, from: ClientId, along: TakenAlong): Promise<void>;
  };
  readonly credentials: {
    adoptSecrets(
      who: { readonly from: ClientId; readonly to: ClientId },
      write: (edits: readonly SecretEdit[]) => Promise<void>,
    ): Promise<void>;
  };
  readonly tunnels: {
    tunnelsOf(id: ClientId): readonly { readonly id: TunnelId }[];
    adoptTunnels(to: ClientId, from: ClientId): Promise<void>;
  };
}

/**
 * Moves the records of hosts that came back under another id, with their secrets and tunnels. One
 * move after the other: what goes along is only known when the one before has ended.
 */
export class Adoptions {
  readonly #deps: AdoptionDeps;
  readonly #turns = new Turns<"all">();

  constructor(deps: AdoptionDeps) {
    this.#deps = deps;
  }

  /** Moves the record `from` into that of `to`; fails as `ClientRegistry.move` does. */
  move(to: ClientId, from: ClientId): Promise<void> {
    const { registry, credentials, tunnels } = this.#deps;
    return this.#turns.run("all", async () => {
      await credentials.adoptSecrets({ from, to }, (edits) => {
        const tunnelIds = tunnels.tunnelsOf(to).map(({ id }) => id);
        return registry.move(to, from, { edits, tunnelIds });
      });
      await tunnels.adoptTunnels(to, from);
    });
  }
}
