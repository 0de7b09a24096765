import type { ClientId, TunnelId } from "@rport/protocol/ids";
import type { AdoptionPlan } from "../clients/registry/recordAdoptions.ts";
import type { EditStore } from "../store/edits/editStore.ts";
import type { SecretEdit } from "../store/edits/secretEdit.ts";
import { mergedRecord, requireAdoptable } from "./mergedRecord.ts";

/** Where everything is kept that goes with a record. */
export interface AdoptionsDeps {
  readonly store: Pick<EditStore, "turn">;
  readonly registry: {
    adopt(to: ClientId, from: ClientId, plan: AdoptionPlan): Promise<void>;
  };
  readonly credentials: {
    adoptionEdits(who: { readonly from: ClientId; readonly to: ClientId }): readonly SecretEdit[];
    onAdopted(id: ClientId): void;
  };
  readonly tunnels: {
    readonly mostPerClient: number;
    tunnelsOf(id: ClientId): readonly { readonly id: TunnelId }[];
    adoptTunnels(to: ClientId, from: ClientId): Promise<void>;
  };
}

/**
 * Gives hosts that came back under another id their earlier records, with secrets and tunnels. One
 * after the other: what goes along is only known when the one before has ended.
 */
export class Adoptions {
  readonly #deps: AdoptionsDeps;

  constructor(deps: AdoptionsDeps) {
    this.#deps = deps;
  }

  /**
   * The record `from` goes into that of `to`; fails as `ClientRegistry.adopt` does, and as
   * `requireRight`, which is asked when its turn has come.
   */
  adopt(to: ClientId, from: ClientId, requireRight?: () => void): Promise<void> {
    const { store, registry, credentials, tunnels } = this.#deps;
    return store.turn("adoptions", async () => {
      requireRight?.();
      const merge = mergeWith(
        tunnels.tunnelsOf(to).map(({ id }) => id),
        tunnels.mostPerClient,
      );
      await registry.adopt(to, from, { merge, edits: credentials.adoptionEdits({ from, to }) });
      credentials.onAdopted(to);
      await tunnels.adoptTunnels(to, from);
    });
  }
}

/**
 * Makes one record of two; `tunnelIds` are those of the client's open tunnels, which may not be in
 * its record yet. Throws as `requireAdoptable` and `mergedRecord` do.
 */
export function mergeWith(
  tunnelIds: readonly TunnelId[],
  tunnelsMax?: number,
): AdoptionPlan["merge"] {
  return (to, from, isFromConnected) => {
    requireAdoptable(from, isFromConnected);
    return mergedRecord(to, from, { tunnelIds, tunnelsMax });
  };
}
