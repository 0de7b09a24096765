import { acceptedSchema, LONG_REQUESTS, type RequestEnded } from "@rport/protocol/agent";
import { beginningOf } from "@rport/protocol/ownText";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import type { Clock } from "../platform/clock.ts";
import { textOf } from "../platform/errorText.ts";
import { withEffort } from "./effort.ts";
import type { Result, Work } from "./serverRequest.ts";

/** Longest text of a refusal. */
const ERROR_MAX = 1_000;

/** What long requests need. */
export interface LongRequestsDeps {
  readonly clock: Clock;
  /** Tells the server; does nothing once the connection has ended. */
  onEnded(ended: RequestEnded): void;
  /** Work failed in a way it did not foresee; the server only learns that it failed. */
  onFault(error: unknown): void;
}

/**
 * Requests of a server that were accepted and are under way. Replies have to come in order, so one
 * that takes long would keep all others waiting; accepted, it waits for itself alone.
 */
export class LongRequests {
  readonly #deps: LongRequestsDeps;
  readonly #ids = new Set<string>();
  readonly #over = new AbortController();

  constructor(deps: LongRequestsDeps) {
    this.#deps = deps;
  }

  /** Begins the work; the answer is the reply to send now. Throws `RequestRefused`. */
  accept(id: string, work: Work): Result {
    if (this.#ids.has(id)) throw new RequestRefused("a request with this id is under way");
    if (this.#ids.size >= LONG_REQUESTS.atOnce) {
      throw new RequestRefused("too many requests are under way");
    }
    this.#ids.add(id);
    // The reply leaves in this turn of the event loop, and the end must not come before it.
    setImmediate(() => void this.#run(id, work));
    return acceptedSchema.parse({ accepted: id });
  }

  /** The connection has ended: what is under way is given up. */
  end(): void {
    this.#over.abort(new Error("the connection has ended"));
  }

  async #run(id: string, work: Work): Promise<void> {
    const ended = await this.#outcome(id, work);
    this.#ids.delete(id);
    try {
      this.#deps.onEnded(ended);
    } catch (error) {
      this.#deps.onFault(error);
    }
  }

  async #outcome(id: string, work: Work): Promise<RequestEnded> {
    const { signal } = this.#over;
    const limit = { clock: this.#deps.clock, maxMs: LONG_REQUESTS.workMs, signal };
    try {
      return { long_id: id, ok: true, result: { ...(await withEffort(limit, work)) } };
    } catch (error) {
      if (!(error instanceof RequestRefused)) this.#deps.onFault(error);
      const text = error instanceof RequestRefused ? textOf(error) : "internal error";
      return { long_id: id, ok: false, error: beginningOf(text, ERROR_MAX) };
    }
  }
}
