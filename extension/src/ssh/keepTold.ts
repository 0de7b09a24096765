import type { Clock, Timer } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import type { Log } from "../support/log.ts";
import type { ConfigText } from "./config/configText.ts";
import type { KnownHosts } from "./knownHosts.ts";
import type { SshSetup } from "./setup.ts";

/** Changes that come this close together are written together. */
const GATHER_MS = 300;
/** What takes longer than changes are gathered takes at most one part in so many of the time, however often they come. */
const REST_PARTS = 10;
/** But a new name is not kept back for longer, also where nobody waits for it. */
const REST_MAX_MS = 30_000;

/** What keeping `ssh` told needs. */
export interface KeepToldDeps {
  readonly setup: SshSetup;
  readonly hosts: KnownHosts;
  /** Whether somebody wants `ssh` to be told. */
  readonly isOn: () => boolean;
  /** What of the settings `ssh` cannot be told, as a sentence; empty: nothing. */
  readonly doubt: () => string;
  /** Tells somebody why it cannot be told, or not of all. */
  readonly warn: (sentence: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps `ssh` told of hosts, in the one window that does that for all; see `start`. */
export class KeepTold {
  readonly #deps: KeepToldDeps;
  #state: "waiting" | "keeping" | "over" = "waiting";
  #work: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  /** It is being written, or about to be. */
  #isBusy = false;
  /** Something has changed since that began. */
  #isStale = false;
  /** Nothing is written before this. */
  #restedAtMs = 0;
  /** Somebody waits for what is written next. */
  #isAwaited = false;
  #left: ReadonlySet<string> = new Set();
  #short = "";
  #warned = "";

  constructor(deps: KeepToldDeps) {
    this.#deps = deps;
  }

  /** From now on this window does it; harmless when it does already, or is being closed. */
  start(): void {
    if (this.#state === "waiting") {
      this.#state = "keeping";
      this.#work = this.#work.then(() => this.#deps.hosts.load());
    }
    this.changed();
  }

  /** Hosts, servers or settings may be others than they were; every window has to know. */
  changed(): void {
    this.#deps.hosts.changed();
    if (this.#state !== "keeping") return;
    this.#applyAfter(GATHER_MS);
  }

  /** Somebody waits for what there is to write: there is no rest before that. */
  hurry(): void {
    if (this.#isBusy) this.#isAwaited = true;
    const { clock } = this.#deps;
    if (this.#restedAtMs <= clock.monotonic()) return;
    this.#restedAtMs = clock.monotonic();
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#applyAfter(GATHER_MS);
  }

  /** Whether a host, by its handle, has no place in what was written last. */
  isLeft(handle: string): boolean {
    return this.#left.has(handle);
  }

  /** Takes away what `ssh` is told, and what was kept for it, from any window. Throws a sentence as `SshSetup.remove`. */
  async remove(): Promise<void> {
    const removed = this.#work.then(() => this.#takeAway());
    this.#work = removed.catch(() => undefined);
    await removed;
  }

  dispose(): void {
    this.#timer?.cancel();
    this.#state = "over";
  }

  #applyAfter(waitMs: number): void {
    this.#timer ??= this.#deps.clock.after(waitMs, () => {
      this.#timer = undefined;
      this.#due();
    });
  }

  /** One waits for the one that is under way and for a rest behind it, however many changes there are meanwhile. */
  #due(): void {
    const restMs = this.#restedAtMs - this.#deps.clock.monotonic();
    if (this.#isBusy) this.#isStale = true;
    else if (restMs > 0) this.#applyAfter(restMs);
    else {
      this.#isBusy = true;
      this.#work = this.#work.then(() => this.#applyAndRest());
    }
  }

  async #applyAndRest(): Promise<void> {
    const { clock } = this.#deps;
    const begunAtMs = clock.monotonic();
    await this.#apply();
    const endedAtMs = clock.monotonic();
    const tookMs = endedAtMs - begunAtMs;
    const restMs = Math.min(tookMs * (REST_PARTS - 1), REST_MAX_MS);
    if (tookMs > GATHER_MS && !this.#isAwaited) this.#restedAtMs = endedAtMs + restMs;
    this.#isAwaited = false;
    this.#isBusy = false;
    if (!this.#isStale || this.#state === "over") return;
    this.#isStale = false;
    this.#due();
  }

  async #apply(): Promise<void> {
    const { isOn, doubt, log } = this.#deps;
    try {
      if (isOn()) await this.#tell();
      else await this.#takeAway();
      this.#warn(isOn() ? doubt() : "");
    } catch (error) {
      const why = describeError(error);
      log.warn("ssh cannot be told of hosts", { why });
      this.#warn(why);
    }
  }

  async #tell(): Promise<void> {
    const { setup, hosts } = this.#deps;
    try {
      // first, since it takes away what there was in another place
      if (setup.included?.config !== setup.places.config) await setup.include();
    } finally {
      // somebody may have put the line there by hand where we cannot
      this.#tellShort(await setup.write(hosts.all));
      await hosts.remember();
    }
  }

  async #takeAway(): Promise<void> {
    const { setup, hosts } = this.#deps;
    this.#left = new Set();
    await hosts.forget();
    if (await setup.isThere()) await setup.remove();
  }

  #tellShort({ short, left: handles }: Pick<ConfigText, "short" | "left">): void {
    this.#left = new Set(handles);
    const left = handles.length;
    const numbers = `${short} ${left}`;
    if (short + left > 0 && numbers !== this.#short) {
      this.#deps.log.warn("ssh is not told of all names of hosts: they are too long", {
        short,
        left,
      });
    }
    this.#short = numbers;
  }

  /** Says a sentence once. */
  #warn(why: string): void {
    if (why !== "" && why !== this.#warned) this.#deps.warn(why);
    this.#warned = why;
  }
}
