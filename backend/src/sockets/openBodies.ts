import type { Socket } from "node:net";
import { HeldBytes, type HeldShare } from "@rport/protocol/wire/held";
import type { Limits } from "../limits/limits.ts";
import { networkOf, unmapped } from "../platform/network.ts";

/** What the open bodies are counted with. */
export interface OpenBodiesDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  /** Whether many callers may stand behind an address. */
  readonly isProxy: (address: string) => boolean;
}

/**
 * The bodies of requests that come in and were not used yet, of all connections together and of each
 * network. Beyond a limit the connection ends whose body takes most.
 */
export class OpenBodies {
  readonly #held: HeldBytes;
  readonly #isProxy: OpenBodiesDeps["isProxy"];

  constructor({ limits, isProxy }: OpenBodiesDeps) {
    const max = limits.max("body_bytes");
    this.#isProxy = isProxy;
    this.#held = new HeldBytes({
      max,
      perConnection: max,
      onFull: () => limits.bite("body_bytes"),
      perGroup: limits.max("body_bytes_per_network"),
      onGroupFull: (network) => limits.bite("body_bytes_per_network", { network }),
    });
    limits.watch("body_bytes", () => this.#held.bytes);
  }

  /** What a body takes that begins to come on the connection; whoever asked for it closes it. */
  open(socket: Socket): HeldShare {
    const share = this.#held.open(() => socket.destroy());
    const address = unmapped(socket.remoteAddress ?? "");
    if (!this.#isProxy(address)) share.join(networkOf(address));
    return share;
  }
}
