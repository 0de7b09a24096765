import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import type { Newcomer } from "../../credentials/admission/waitingRoom.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { clean } from "../registry/inventory.ts";
import type { ArrivingSession } from "./arrivingSession.ts";
import type { FirstRequest } from "./firstRequest.ts";

/** So often a waiting agent is told that it is not forgotten; it gives up after a minute. */
const WORD_MS = 20_000;

/** What a newcomer needs. */
export interface NewcomerDeps {
  readonly session: Pick<ArrivingSession, "address" | "features" | "closed" | "ask">;
  readonly clock: Clock;
  /** Called when it begins to wait. */
  readonly onHeld: () => void;
}

/** An agent that may have to wait; `end` to be called when it does not any more. */
export function newcomerOf(
  { identity, request, hostKey }: FirstRequest,
  deps: NewcomerDeps,
): Newcomer & { end(): void } {
  const { address, features, closed } = deps.session;
  const isPatient = features.includes(FEATURES.heldJoin);
  const words = new Words(deps);
  return {
    clientId: identity.id,
    address,
    closed,
    isPatient,
    name: clean(request.Name),
    hostname: clean(request.Hostname),
    osFullName: clean(request.OSFullName),
    hostKey: hostKey?.fingerprint ?? "",
    onHeld() {
      deps.onHeld();
      if (isPatient) void words.say();
    },
    end: () => words.end(),
  };
}

/** Tells a waiting agent, again and again, that it is not forgotten. */
class Words {
  readonly #deps: Pick<NewcomerDeps, "session" | "clock">;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(deps: Pick<NewcomerDeps, "session" | "clock">) {
    this.#deps = deps;
  }

  async say(): Promise<void> {
    const { session, clock } = this.#deps;
    try {
      await session.ask(REQUESTS.holdJoin, {});
    } catch {
      // The answer is overdue or the connection has ended, and with it the wait.
      return;
    }
    if (!this.#isOver) this.#timer = clock.after(WORD_MS, () => void this.say());
  }

  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }
}
