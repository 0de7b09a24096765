import type { Limits } from "../limits/limits.ts";
import type { Sharer } from "../limits/sharer.ts";

/** What an answer holds beside its bytes: the request, its headers, what became of it. */
const ANSWER_BYTES = 16 << 10;

/** An answer on its way: a response of Node, as far as it matters here. */
export interface Answer {
  /** Told when the answer was taken, or its connection has ended. */
  once(event: "close", told: () => void): unknown;
  /** What it answers. */
  readonly req: { readonly socket: { destroy(): unknown } };
}

/** The answers of one caller that were not taken yet, oldest first, and their bytes. */
interface Share {
  readonly caller: Sharer;
  readonly answers: Map<Answer, number>;
  bytes: number;
}

/**
 * Answers that were given and are not taken yet, each with some bytes beside its own. Together they have
 * so many at the most; beyond that, of whoever lets most of them wait, the oldest one ends with its connection.
 */
export class UnreadAnswers {
  readonly #limits: Pick<Limits, "max" | "bite">;
  readonly #shares = new Map<string, Share>();
  #bytes = 0;

  constructor(limits: Pick<Limits, "max" | "bite" | "watch">) {
    this.#limits = limits;
    limits.watch("answer_bytes", () => this.#bytes);
  }

  /**
   * An answer of so many bytes, or so many more of one that is being made, goes to a caller; it counts
   * until its response is closed.
   */
  add(caller: Sharer, response: Answer, answerBytes: number): void {
    const { accountId } = caller;
    const share = this.#shares.get(accountId) ?? { caller, answers: new Map(), bytes: 0 };
    const before = share.answers.get(response);
    const bytes = before === undefined ? answerBytes + ANSWER_BYTES : answerBytes;
    this.#shares.set(accountId, share);
    share.answers.set(response, (before ?? 0) + bytes);
    share.bytes += bytes;
    this.#bytes += bytes;
    if (before === undefined) response.once("close", () => this.#remove(accountId, response));
    while (this.#bytes > this.#limits.max("answer_bytes")) this.#endOne();
  }

  #endOne(): void {
    const [accountId, share] = this.#worst();
    const [oldest] = share.answers.keys();
    this.#limits.bite("answer_bytes", { caller: share.caller.name });
    if (oldest === undefined) return;
    this.#remove(accountId, oldest);
    // The response itself has no connection as long as it waits behind another one.
    oldest.req.socket.destroy();
  }

  #worst(): [string, Share] {
    return [...this.#shares].reduce((one, other) => (other[1].bytes > one[1].bytes ? other : one));
  }

  #remove(accountId: string, response: Answer): void {
    const share = this.#shares.get(accountId);
    const bytes = share?.answers.get(response);
    if (share === undefined || bytes === undefined) return;
    share.answers.delete(response);
    share.bytes -= bytes;
    this.#bytes -= bytes;
    if (share.answers.size === 0) this.#shares.delete(accountId);
  }
}
