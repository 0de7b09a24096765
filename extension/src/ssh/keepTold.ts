import type { Clock, Timer } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import type { Log } from "../support/log.ts";
import type { KnownHosts } from "./knownHosts.ts";
import type { SshSetup } from "./setup.ts";

/** Changes that come this close together are written together. */
const GATHER_MS = 300;

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
    this.#timer ??= this.#deps.clock.after(GATHER_MS, () => {
      this.#timer = undefined;
      this.#work = this.#work.then(() => this.#apply());
    });
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
      await setup.write(hosts.all);
      await hosts.remember();
    }
  }

  async #takeAway(): Promise<void> {
    const { setup, hosts } = this.#deps;
    await hosts.forget();
    if (await setup.isThere()) await setup.remove();
  }

  /** Says a sentence once. */
  #warn(why: string): void {
    if (why !== "" && why !== this.#warned) this.#deps.warn(why);
    this.#warned = why;
  }
}
