import { beginningOf } from "@rport/protocol/ownText";
import type { CloseReason } from "@rport/protocol/wire/wireError";
import { factsOf, namesOf } from "./agentFacts.ts";
import type { ArrivingSession } from "./arrivingSession.ts";
import type { SessionDeps } from "./sessionDeps.ts";

/** Ways an end counts against the peer. */
const BAD_ENDS: ReadonlySet<CloseReason["kind"]> = new Set([
  "protocol",
  "limit",
  "size",
  "timeout",
]);

/** What an agent does that it may not: all of it is counted, and the log tells of the first time only. */
export class Violations {
  readonly #session: ArrivingSession;
  readonly #deps: Pick<SessionDeps, "agentEvents" | "counters" | "log" | "registry">;
  #isTold = false;

  constructor(
    session: ArrivingSession,
    deps: Pick<SessionDeps, "agentEvents" | "counters" | "log" | "registry">,
  ) {
    this.#session = session;
    this.#deps = deps;
  }

  /** It did something; `what` comes from the agent. */
  add(message: string, what: string): void {
    const { counters, log, agentEvents, registry } = this.#deps;
    counters.afterLogin += 1;
    if (!this.#isTold) {
      const shown = JSON.stringify(beginningOf(what, 64));
      log.warn(message, { ...namesOf(this.#session), what: shown });
      agentEvents.refused(factsOf(this.#session, registry), `${message}: ${shown}`);
    }
    this.#isTold = true;
  }

  /** Its connection ended, which may be its own fault. */
  countEnd(reason: CloseReason): void {
    if (BAD_ENDS.has(reason.kind)) this.#deps.counters.afterLogin += 1;
  }
}
