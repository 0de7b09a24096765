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
  /** Tells somebody why it cannot be told. */
  readonly warn: (sentence: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps `ssh` told of hosts, in the one window that does that for all; see `start`. */
export class KeepTold {
  readonly #deps: KeepToldDeps;
  #work: Promise<void> | undefined;
  #timer: Timer | undefined;
  #warned = "";

  constructor(deps: KeepToldDeps) {
    this.#deps = deps;
  }

  /** From now on this window does it; harmless when it does already. */
  start(): void {
    this.#work ??= this.#deps.hosts.load();
    this.changed();
  }

  /** Hosts, servers or settings may be others than they were. */
  changed(): void {
    if (this.#work === undefined) return;
    this.#timer ??= this.#deps.clock.after(GATHER_MS, () => {
      this.#timer = undefined;
      this.#work = this.#work?.then(() => this.#apply());
    });
  }

  dispose(): void {
    this.#timer?.cancel();
    this.#work = undefined;
  }

  async #apply(): Promise<void> {
    const { setup, hosts, isOn, log } = this.#deps;
    try {
      if (isOn()) {
        await setup.write(hosts.all);
        await hosts.remember();
        if (setup.included?.config !== setup.places.config) await setup.include();
      } else if (await setup.isThere()) {
        await hosts.forget();
        await setup.remove();
      }
      this.#warned = "";
    } catch (error) {
      const why = describeError(error);
      log.warn("ssh cannot be told of hosts", { why });
      if (this.#warned !== why) this.#deps.warn(why);
      this.#warned = why;
    }
  }
}
