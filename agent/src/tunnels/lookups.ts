import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Lookup } from "./target.ts";

/**
 * Names that are looked up at once. Each takes a thread of the runtime until the system answers, and nothing
 * takes it back. Node has two for that, Bun two on a small machine, for its file work as well: the
 * other one is for the way to the server, for the configuration and for the state.
 */
const PLACES = 1;
/** Names that wait for a place. */
const WAITING = 256;
/** From the question to its answer, the wait for a place included. */
const ANSWER_MS = 10_000;
/** Every machine has this one in a file of its own: it does not wait for a DNS that is silent. */
const OWN_NAME = "localhost";

/** What looking names up needs. */
export interface LookupsDeps {
  /** The machine's own name resolution; it need not heed a signal. */
  readonly resolve: Lookup;
  readonly clock: Pick<Clock, "after">;
  readonly log: Pick<Log, "warn">;
}

/** One that waits for the addresses of a name. */
interface Asker {
  answer(addresses: readonly string[]): void;
  refuse(error: unknown): void;
}

/** A name that is looked up, or waits for that, and all who asked for it. */
interface Question {
  readonly name: string;
  readonly askers: Set<Asker>;
}

/**
 * Looks up the names of targets for the whole process, so that however many are asked for, and
 * however silent their DNS is, the agent itself goes on: few at once, a short queue, one lookup for all
 * who ask for the same name. A name that nobody waits for any more leaves the queue; one that is
 * being looked up keeps its place until the system has answered.
 */
export class Lookups {
  readonly #deps: LookupsDeps;
  readonly #questions = new Map<string, Question>();
  readonly #waiting = new Set<Question>();
  #running = 0;
  #refused = 0;

  constructor(deps: LookupsDeps) {
    this.#deps = deps;
  }

  /** How many were refused since the start because too many others waited. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * The addresses of a name. Rejects with the system's error, with the signal's reason as soon as it fires,
   * after ten seconds, and at once when too many other names wait.
   */
  readonly find: Lookup = (host, signal) => {
    const name = host.toLowerCase();
    if (signal?.aborted) return Promise.reject(signal.reason);
    const question = this.#questions.get(name) ?? this.#ask(name);
    return question === undefined
      ? Promise.reject(this.#tooMany())
      : this.#answerTo(question, signal);
  };

  #ask(name: string): Question | undefined {
    const question: Question = { name, askers: new Set() };
    const isFree = this.#running < PLACES || name === OWN_NAME;
    if (!isFree && this.#waiting.size >= WAITING) return undefined;
    this.#questions.set(name, question);
    if (isFree) void this.#lookUp(question);
    else this.#waiting.add(question);
    return question;
  }

  #answerTo(question: Question, signal: AbortSignal | undefined): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const leaveBehind =
        <T>(settle: (outcome: T) => void) =>
        (outcome: T): void => {
          timer?.cancel();
          signal?.removeEventListener("abort", stop);
          this.#leave(question, asker);
          settle(outcome);
        };
      const asker: Asker = { answer: leaveBehind(resolve), refuse: leaveBehind(reject) };
      const stop = () => asker.refuse(signal?.reason);
      question.askers.add(asker);
      signal?.addEventListener("abort", stop, { once: true });
      timer = this.#deps.clock.after(ANSWER_MS, () => asker.refuse(this.#tooLate(question)));
    });
  }

  /** A name that waits for nobody must not take a place. */
  #leave(question: Question, asker: Asker): void {
    question.askers.delete(asker);
    if (question.askers.size > 0 || !this.#waiting.delete(question)) return;
    this.#questions.delete(question.name);
  }

  async #lookUp(question: Question): Promise<void> {
    const takesPlace = question.name !== OWN_NAME;
    if (takesPlace) this.#running += 1;
    const outcome = await this.#resolved(question.name);
    if (takesPlace) this.#running -= 1;
    this.#questions.delete(question.name);
    for (const asker of question.askers) outcome(asker);
    this.#next();
  }

  /** What to tell everybody who asked. */
  async #resolved(name: string): Promise<(asker: Asker) => void> {
    try {
      const addresses = await this.#deps.resolve(name);
      return (asker) => asker.answer(addresses);
    } catch (error) {
      return (asker) => asker.refuse(error);
    }
  }

  #next(): void {
    const [next] = this.#waiting;
    if (next === undefined || this.#running >= PLACES) return;
    this.#waiting.delete(next);
    void this.#lookUp(next);
  }

  #tooLate(question: Question): Error {
    const seconds = ANSWER_MS / 1_000;
    return this.#waiting.has(question)
      ? new Error(`the names asked for before were not answered in ${seconds} seconds`)
      : new Error(`the name was not answered in ${seconds} seconds`);
  }

  #tooMany(): Error {
    this.#refused += 1;
    this.#deps.log.warn("too many names are to be looked up", { refused: this.#refused });
    return new Error("too many names are to be looked up on this host");
  }
}
