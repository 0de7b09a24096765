import type { Clock } from "../../platform/clock.ts";
import { NetworkPace, type Work } from "../../sockets/networkPace.ts";
import type { PendingSocket } from "./pendingSockets.ts";

/** The time for handshakes of agents, shared out among their networks. */
export class HandshakePace extends NetworkPace {
  readonly #clock: Pick<Clock, "monotonic">;

  constructor(clock: Pick<Clock, "monotonic" | "after">) {
    super(clock);
    this.#clock = clock;
  }

  /** For what a socket sent that has not signed in; until its turn it waits for us. */
  runFor(place: PendingSocket, work: Work): void {
    place.beginTurn();
    this.run(place.network, () => {
      place.endTurn(this.#clock.monotonic());
      work();
    });
  }
}
