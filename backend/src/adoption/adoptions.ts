import type { ClientId, TunnelId } from "@rport/protocol/ids";
import type { RecordMove } from "../clients/registry/recordMove.ts";
import { Turns } from "../platform/turns.ts";
import type { SecretEdit } from "../store/secretEdit.ts";
import { mergedRecord, requireMovable } from "./mergedRecord.ts";

/** Where everything is kept that goes with a record. */
export interface RecordMoveDeps {
  readonly registry: {
    move(to: ClientId, from: ClientId, how: RecordMove): Promise<void>;
  };
  readonly credentials: {
    moveSecrets(
      who: { readonly from: ClientId; readonly to: ClientId },
      write: (edits: readonly SecretEdit[]) => Promise<void>,
    ): Promise<void>;
  };
  readonly tunnels: {
    tunnelsOf(id: ClientId): readonly { readonly id: TunnelId }[];
    moveTunnels(to: ClientId, from: ClientId): Promise<void>;
  };
}

/**
 * Moves the records of hosts that came back under another id, with their secrets and tunnels. One
 * move after the other: what goes along is only known when the one before has ended.
 */
export class RecordMoves {
  readonly #deps: RecordMoveDeps;
  readonly #turns = new Turns<"all">();

  constructor(deps: RecordMoveDeps) {
    this.#deps = deps;
  }

  /**
   * Moves the record `from` into that of `to`. Fails as `ClientRegistry.move` does: with `CONFLICT`
   * while `from` is connected or revoked, or when one record cannot hold both.
   */
  move(to: ClientId, from: ClientId): Promise<void> {
    const { registry, credentials, tunnels } = this.#deps;
    return this.#turns.run("all", async () => {
      await credentials.moveSecrets({ from, to }, (edits) => {
        const tunnelIds = tunnels.tunnelsOf(to).map(({ id }) => id);
        return registry.move(to, from, { edits, merge: mergeWith(tunnelIds) });
      });
      await tunnels.moveTunnels(to, from);
    });
  }
}

/** `tunnelIds`: those of tunnels of the new client that may not be in its record yet. */
export function mergeWith(tunnelIds: readonly TunnelId[]): RecordMove["merge"] {
  return (to, { record: from, isConnected }) => {
    requireMovable(from, isConnected);
    return mergedRecord(to, from, tunnelIds);
  };
}
