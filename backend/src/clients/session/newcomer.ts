import { type ConnectionRequest, FEATURES, REQUESTS } from "@rport/protocol/agent";
import type { ClientId } from "@rport/protocol/ids";
import type { Newcomer } from "../../credentials/admission/waitingRoom.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { clean } from "../registry/inventory.ts";

/** So often a waiting agent is told that it is not forgotten; it gives up after a minute. */
const WORD_MS = 20_000;

/** A connection whose agent asks to be let in. */
export interface Applicant {
  readonly clientId: ClientId;
  readonly request: ConnectionRequest;
  readonly address: string;
  /** Extensions both sides listed. */
  readonly features: readonly string[];
  readonly closed: Promise<unknown>;
  readonly clock: Clock;
  /** An answer that is overdue ends the connection. */
  ask(name: string, payload: object): Promise<unknown>;
  /** Called when it begins to wait. */
  onHeld(): void;
}

/** An agent that may have to wait; `end` to be called when it does not any more. */
export function newcomerOf(applicant: Applicant): Newcomer & { end(): void } {
  const { clientId, request, address, features, closed } = applicant;
  const isPatient = features.includes(FEATURES.heldJoin);
  const words = new Words(applicant);
  return {
    clientId,
    address,
    closed,
    isPatient,
    name: clean(request.Name),
    hostname: clean(request.Hostname),
    osFullName: clean(request.OSFullName),
    // Without the feature nobody will ask for a proof of it.
    hostKey: features.includes(FEATURES.hostKey) ? request.HostKey : "",
    onHeld() {
      applicant.onHeld();
      if (isPatient) void words.say();
    },
    end: () => words.end(),
  };
}

/** Tells a waiting agent, again and again, that it is not forgotten. */
class Words {
  readonly #applicant: Applicant;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(applicant: Applicant) {
    this.#applicant = applicant;
  }

  async say(): Promise<void> {
    const { ask, clock } = this.#applicant;
    try {
      await ask(REQUESTS.holdJoin, {});
    } catch {
      // The connection has ended, and with it the wait.
      return;
    }
    if (!this.#isOver) this.#timer = clock.after(WORD_MS, () => void this.say());
  }

  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }
}
