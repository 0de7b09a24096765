import {
  AGENT_ANSWER_MAX_BYTES,
  acceptedSchema,
  FEATURES,
  LONG_REQUESTS,
  type RequestEnded,
} from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { Reply } from "@rport/protocol/wire/requests";
import { WireError } from "@rport/protocol/wire/wireError";
import type { Limits } from "../../limits/limits.ts";
import type { Sharer } from "../../limits/sharer.ts";
import type { Clock } from "../../platform/clock.ts";
import type { LiveSession } from "../liveSession.ts";
import { type NamedSession, namesOf } from "./agentFacts.ts";
import { QuestionPlaces } from "./questionPlaces.ts";

/** From the acceptance to the end: as long as an agent works, and the way of its last word. */
const END_MS = LONG_REQUESTS.workMs + 5_000;

/** What long requests need. */
export interface LongRequestsDeps {
  /** The session whose requests they are. */
  readonly session: Pick<LiveSession, "features" | "ask"> & NamedSession;
  readonly clock: Clock;
  readonly limits: Pick<Limits, "max" | "bite">;
}

/**
 * Requests that an agent accepts at once and whose ends it tells later, on one connection (feature
 * `long-requests`). Each has a number of ours; bounded in number, of one user, too, and in time. Not
 * to be asked before the agent is registered: what it says by itself waits for that, and so would an end.
 */
export class LongRequests {
  readonly #deps: LongRequestsDeps;
  readonly #places: QuestionPlaces;
  readonly #underWay = new Map<string, PromiseWithResolvers<Reply>>();
  #lastId = 0;

  constructor(deps: LongRequestsDeps) {
    this.#deps = deps;
    const { limits, session } = deps;
    this.#places = new QuestionPlaces({ limits, names: () => namesOf(session) });
  }

  /** Requests whose end is waited for. */
  get count(): number {
    return this.#underWay.size;
  }

  /**
   * Asks for a user, and resolves with what the agent says in the end, or with its reply when it did
   * not accept but answered; agents without the feature always do that. Rejects as
   * `QuestionPlaces.take` when too many are under way, and with a `WireError`: `timeout` when the end
   * is overdue, or why the connection ended; with `AGENT_REFUSED` when the end cannot be passed on.
   */
  async ask(name: string, payload: object, user?: Sharer): Promise<Reply> {
    const { session } = this.#deps;
    const leave = this.#places.take(user);
    try {
      if (session.features.includes(FEATURES.longRequests)) return await this.#ask(name, payload);
      return await session.ask(name, payload);
    } finally {
      leave();
    }
  }

  /** Takes an agent's `request_ended`. False when none of that number is under way (any more). */
  settle(ended: RequestEnded): boolean {
    const waiting = this.#underWay.get(ended.long_id);
    if (waiting === undefined) return false;
    this.#underWay.delete(ended.long_id);
    try {
      waiting.resolve(replyOf(ended));
    } catch {
      // Nested so deep that the text of it cannot be made. Whoever asks is not kept waiting for that.
      waiting.reject(new RportError("AGENT_REFUSED", "The client's answer cannot be read."));
    }
    return true;
  }

  /** The connection has ended, and with it all that are under way. */
  end(error: WireError): void {
    for (const waiting of this.#underWay.values()) waiting.reject(error);
    this.#underWay.clear();
  }

  async #ask(name: string, payload: object): Promise<Reply> {
    const { session } = this.#deps;
    this.#lastId += 1;
    const id = String(this.#lastId);
    const ended = Promise.withResolvers<Reply>();
    ended.promise.catch(() => {});
    // Registered before it is sent: the end may come in the same bytes as the acceptance.
    this.#underWay.set(id, ended);
    try {
      const reply = await session.ask(name, { ...payload, long_id: id });
      return isAccepted(reply, id) ? await this.#inTime(name, ended) : reply;
    } finally {
      this.#underWay.delete(id);
    }
  }

  async #inTime(name: string, ended: PromiseWithResolvers<Reply>): Promise<Reply> {
    const timer = this.#deps.clock.after(END_MS, () =>
      ended.reject(new WireError("timeout", `no end of ${name} in time`)),
    );
    try {
      return await ended.promise;
    } finally {
      timer.cancel();
    }
  }
}

function isAccepted({ ok, payload }: Reply, id: string): boolean {
  return (
    ok &&
    acceptedSchema.safeParse(parseJsonPayload(payload, AGENT_ANSWER_MAX_BYTES)).data?.accepted ===
      id
  );
}

function replyOf(ended: RequestEnded): Reply {
  const text = ended.ok ? JSON.stringify(ended.result) : ended.error;
  return { ok: ended.ok, payload: Buffer.from(text) };
}
