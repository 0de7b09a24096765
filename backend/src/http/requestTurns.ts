import type { OnFault } from "@rport/protocol/wire/contain";
import { Turns } from "@rport/protocol/wire/turns";
import type { Clock } from "../platform/clock.ts";

/** What the turns need. */
export interface RequestTurnsDeps {
  readonly clock: Pick<Clock, "monotonic">;
  /** Told what callbacks of ours throw. */
  readonly onFault: OnFault;
}

/**
 * Shares the time for what requests bring about once they were read: forty of them are read in one
 * turn of the event loop, and what one of them asks for may be the work of twenty milliseconds. So
 * only so much of a turn is for that, to one caller after the other.
 */
export class RequestTurns {
  readonly #turns: Turns;

  constructor(deps: RequestTurnsDeps) {
    this.#turns = new Turns(deps);
  }

  /** Resolves when it is the caller's turn; at once where nobody has worked much in this one. */
  async take(caller: string): Promise<void> {
    const own = this.#turns.own(
      () => caller,
      (work) => work(),
    );
    if (own.isOver(own.nowMs())) await new Promise<void>((resolve) => own.later(resolve));
  }
}
