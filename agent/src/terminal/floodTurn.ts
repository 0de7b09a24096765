import type { Clock } from "../platform/clock.ts";
import type { Traffic } from "./traffic.ts";

/** Packets in one turn of the event loop: as much as a tunnel moves beside others. */
const PACKETS = 2;
/** While tunnels carry something, one goes in this time: 8 MB a second, which nobody reads. */
const GIVE_WAY_MS = 4;

/** What its turns depend on. */
export interface FloodTurnDeps {
  readonly clock: Pick<Clock, "after">;
  /** Of tunnels, whose small packets would wait behind those of a flood. */
  readonly traffic: Pick<Traffic, "isNow">;
  /** Another turn has begun. */
  readonly onBegin: () => void;
}

/** The turns of one terminal whose program writes as fast as it can: others have theirs, too. */
export class FloodTurn {
  readonly #deps: FloodTurnDeps;
  #left = PACKETS;

  constructor(deps: FloodTurnDeps) {
    this.#deps = deps;
  }

  /** Whether no more goes in this turn. */
  get isOver(): boolean {
    return this.#left === 0;
  }

  /** A whole packet was sent in it. */
  count(): void {
    const { clock, traffic } = this.#deps;
    const isFirst = this.#left === PACKETS;
    this.#left -= 1;
    if (!isFirst) return;
    const next = () => this.#begin();
    if (!traffic.isNow) {
      setImmediate(next);
      return;
    }
    this.#left = 0;
    clock.after(GIVE_WAY_MS, next);
  }

  #begin(): void {
    this.#left = PACKETS;
    this.#deps.onBegin();
  }
}
