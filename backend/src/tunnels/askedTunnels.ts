import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { Limits } from "../limits/limits.ts";
import type { PortRange, PortRanges } from "../platform/portRanges.ts";

/** What the agents of a credential may ask for by themselves. */
export interface AskingRight {
  /** So many tunnels; null: as many as usual. */
  readonly max: number | null;
  /** On these ports; null: on any. */
  readonly ports: PortRange | null;
}

/** What decides how many there may be. */
export interface AskedTunnelsDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  readonly ranges: PortRanges;
  readonly rightOf: (id: AuthId) => AskingRight;
  /** Lets those leave whose ports have rested long enough. */
  readonly settle: () => void;
}

/** The place of one tunnel among those that agents asked for. */
export interface AskedPlace {
  /** The tunnel is gone, and its port is free; harmless when that is known. */
  leave(): void;
}

/**
 * Tunnels that agents asked for (`Remotes`), not people. All of them together, with the ports that rest
 * behind them, never have more than half of the ports, so that a person finds one whatever agents do.
 */
export class AskedTunnels {
  readonly #deps: AskedTunnelsDeps;
  readonly #ofCredential = new Map<AuthId, number>();
  #count = 0;

  constructor(deps: AskedTunnelsDeps) {
    this.#deps = deps;
    deps.limits.watch("asked_tunnels", () => {
      deps.settle();
      return this.#count;
    });
  }

  /** The ports that agents of the credential may have. */
  portsOf(id: AuthId): PortRanges {
    const { ranges, rightOf } = this.#deps;
    const { ports } = rightOf(id);
    return ports === null ? ranges : ranges.within(ports);
  }

  /** Counts one more. Throws `CONFLICT` or `UNAVAILABLE` when that would be one too many. */
  enter(id: AuthId): AskedPlace {
    this.#deps.settle();
    this.#requireRight(id);
    this.#requireRoom(id);
    this.#change(id, 1);
    let isIn = true;
    return {
      leave: () => {
        if (isIn) this.#change(id, -1);
        isIn = false;
      },
    };
  }

  #requireRight(id: AuthId): void {
    const { limits, rightOf } = this.#deps;
    const { max } = rightOf(id);
    if (max === 0) {
      throw new RportError("CONFLICT", "Agents of this credential may not ask for tunnels.");
    }
    const most = max ?? limits.max("asked_tunnels_per_credential");
    if ((this.#ofCredential.get(id) ?? 0) < most) return;
    if (max === null) limits.bite("asked_tunnels_per_credential", { credential: id });
    throw new RportError("CONFLICT", `Agents of this credential may ask for ${most} tunnels.`);
  }

  #requireRoom(id: AuthId): void {
    const { limits, ranges } = this.#deps;
    const half = Math.ceil(ranges.size / 2);
    if (this.#count < Math.min(limits.max("asked_tunnels"), half)) return;
    limits.bite("asked_tunnels", { credential: id });
    const title = "Agents have asked for as many tunnels as they may on this server.";
    throw new RportError("UNAVAILABLE", title);
  }

  #change(id: AuthId, by: 1 | -1): void {
    this.#count += by;
    const left = (this.#ofCredential.get(id) ?? 0) + by;
    if (left > 0) this.#ofCredential.set(id, left);
    else this.#ofCredential.delete(id);
  }
}
