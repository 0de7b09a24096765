import type { PairingId } from "@rport/protocol/ids";
import {
  ASKED_MAX,
  SERVICE_PATH,
  type ServiceStep,
  STEPS_ANSWER_MAX_MEMBERS,
  STEPS_WAIT_MS,
  type StepsAnswer,
  stepsAnswerSchema,
} from "@rport/protocol/pairing/service";
import { type Allowance, Budget } from "../../platform/budget.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { errorText, type Log } from "../../platform/log.ts";
import { askService, jsonOf } from "./askService.ts";
import { serviceTrouble } from "./serviceTrouble.ts";

/** Longer than the service waits for news. */
const ANSWER_MS = STEPS_WAIT_MS + 10_000;
/** A service of ours puts 1 MiB of steps into one, and the ids. */
const ANSWER_MAX_BYTES = 2 << 20;
/** An answer without news that comes earlier is not what was agreed on; the next question waits for so long. */
const HASTY_MS = 1_000;
/** So does one with news, when there have been many of those: a host that is installed makes a few at once. */
const HASTY_NEWS: Allowance = { burst: 20, perSecond: 1 };
/** Steps of one deposit that are listened to; whom it was handed to is told in any case. */
const HEARD_MAX = 300;
/** Between tries while it cannot be asked. */
const PAUSES_MS = [1_000, 2_000, 5_000, 10_000, 30_000];

/** What the steps need. */
export interface ServiceStepsDeps {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A deposit that is watched. */
export interface WatchedDeposit {
  readonly watchKey: string;
  /** For so many milliseconds. */
  readonly forMs: number;
  readonly onStep: (step: ServiceStep) => void;
}

interface Watched extends WatchedDeposit {
  after: number;
  heard: number;
  readonly timer: Timer;
}

/** Asks a pairing service, one question at a time, what has happened with what was deposited there. */
export class ServiceSteps {
  readonly #deps: ServiceStepsDeps;
  readonly #watched = new Map<PairingId, Watched>();
  #asking: AbortController | undefined;
  #isRunning = false;
  #isClosed = false;
  #failures = 0;
  readonly #hastyNews: Budget<"news">;
  #pause: { readonly timer: Timer; readonly end: () => void } | undefined;

  constructor(deps: ServiceStepsDeps) {
    this.#deps = deps;
    this.#hastyNews = new Budget({ clock: deps.clock, keysMax: 1 });
  }

  /** Watches a deposit for its time, or until the service does not know it any more; nothing is kept of it then. */
  add(id: PairingId, deposit: WatchedDeposit): void {
    const timer = this.#deps.clock.after(deposit.forMs, () => this.#forget(id));
    this.#watched.set(id, { ...deposit, after: 0, heard: 0, timer });
    this.#asking?.abort();
    this.#pause?.end();
    if (!this.#isRunning) void this.#run();
  }

  /** The key of a deposit; undefined: it is not watched any more. */
  watchKeyOf(id: PairingId): string | undefined {
    return this.#watched.get(id)?.watchKey;
  }

  /** Asks no more. */
  close(): void {
    this.#isClosed = true;
    for (const id of [...this.#watched.keys()]) this.#forget(id);
    this.#asking?.abort();
    this.#pause?.end();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#watched.size > 0 && !this.#isClosed) {
      const asking = new AbortController();
      this.#asking = asking;
      try {
        const askedMs = this.#deps.clock.monotonic();
        const isNews = this.#hear(await this.#ask(asking.signal));
        this.#failures = 0;
        const isHasty = this.#deps.clock.monotonic() - askedMs < HASTY_MS;
        if (isHasty && !this.#mayBeHasty(isNews)) await this.#waitForNews();
      } catch (caught) {
        if (!asking.signal.aborted) await this.#rest(caught);
      }
    }
    this.#isRunning = false;
  }

  #mayBeHasty(isNews: boolean): boolean {
    return isNews && this.#hastyNews.spend("news", 1, HASTY_NEWS) === 0;
  }

  /** What came back meanwhile is spent by that. */
  async #waitForNews(): Promise<void> {
    await this.#wait(HASTY_MS);
    this.#hastyNews.charge("news", 1, HASTY_NEWS);
  }

  async #ask(signal: AbortSignal): Promise<StepsAnswer> {
    const { url } = this.#deps;
    // of too many, the latest: the others have ended, or are about to
    const deposits = [...this.#watched].slice(-ASKED_MAX).map(([id, { watchKey, after }]) => {
      return { id, watch_key: watchKey, after };
    });
    const answer = await askService({
      url,
      path: `${SERVICE_PATH}/steps`,
      method: "POST",
      body: { deposits },
      answerMs: ANSWER_MS,
      maxBytes: ANSWER_MAX_BYTES,
      signal,
    });
    if (answer.status !== 200) throw serviceTrouble(url, "refused", { said: `${answer.status}` });
    const parsed = stepsAnswerSchema.safeParse(jsonOf(answer, url, STEPS_ANSWER_MAX_MEMBERS));
    if (parsed.success) return parsed.data;
    throw serviceTrouble(url, "not-json");
  }

  /** Answers whether there was news. */
  #hear({ deposits }: StepsAnswer): boolean {
    let isNews = false;
    for (const { id, is_known: isKnown, steps } of deposits) {
      const watched = this.#watched.get(id);
      if (watched === undefined) continue;
      for (const step of steps) {
        if (step.n <= watched.after) continue;
        watched.after = step.n;
        isNews = true;
        watched.heard += 1;
        if (watched.heard > HEARD_MAX && step.kind !== "claimed") continue;
        watched.onStep(step);
      }
      if (isKnown) continue;
      isNews = true;
      this.#forget(id);
    }
    return isNews;
  }

  /** One line tells of a service that is away; it is asked again later and later. */
  async #rest(caught: unknown): Promise<void> {
    const { log, url } = this.#deps;
    const pauseMs = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)] ?? 1_000;
    if (this.#failures === 0) {
      log.warn("the pairing service does not tell what happens", {
        url,
        reason: errorText(caught),
      });
    }
    this.#failures += 1;
    await this.#wait(pauseMs);
  }

  /** Waits for so long, or until there is more to ask about. */
  async #wait(pauseMs: number): Promise<void> {
    const { clock } = this.#deps;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        this.#pause?.timer.cancel();
        this.#pause = undefined;
        resolve();
      };
      this.#pause = { timer: clock.after(pauseMs, end), end };
    });
  }

  #forget(id: PairingId): void {
    this.#watched.get(id)?.timer.cancel();
    this.#watched.delete(id);
  }
}
