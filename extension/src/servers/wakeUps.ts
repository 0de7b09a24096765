import { networkInterfaces } from "node:os";
import { type Disposable, window } from "vscode";
import type { Clock, Timer } from "../support/clock.ts";
import type { Fleet } from "./fleet.ts";

/** How often the computer's networks are looked at. */
const LOOK_MS = 2_000;
/** A timer that is so late tells that the computer was asleep. */
const ASLEEP_MS = 10_000;

/** What waking up needs. */
export interface WakeUpsDeps {
  readonly fleet: Pick<Fleet, "servers">;
  readonly clock: Clock;
  /** The addresses of this computer as one text. */
  readonly networks?: () => string;
}

/**
 * Has servers that are away tried at once when there is a reason to hope: the window has got the
 * focus, the computer woke up, or it is in another network.
 */
export class WakeUps {
  readonly #deps: WakeUpsDeps;
  readonly #focus: Disposable;
  #timer: Timer;
  /** Undefined: not looked at yet, as nothing of the computer is while the editor starts. */
  #networks: string | undefined;
  #lookedMs: number;

  constructor(deps: WakeUpsDeps) {
    this.#deps = deps;
    this.#lookedMs = deps.clock.now();
    this.#focus = window.onDidChangeWindowState(({ focused }) => {
      if (focused) this.#retry();
    });
    this.#timer = this.#lookLater();
  }

  /** Looks no more. */
  dispose(): void {
    this.#focus.dispose();
    this.#timer.cancel();
  }

  #lookLater(): Timer {
    return this.#deps.clock.after(LOOK_MS, () => {
      this.#look();
      this.#timer = this.#lookLater();
    });
  }

  #look(): void {
    const nowMs = this.#deps.clock.now();
    const wasAsleep = nowMs - this.#lookedMs > LOOK_MS + ASLEEP_MS;
    this.#lookedMs = nowMs;
    // one that is there needs no looking; a network that changed meanwhile is noticed at the next look
    this.#networks ??= this.#read();
    const isSought = this.#deps.fleet.servers.some(({ state }) => state.kind === "waiting");
    if (!isSought) return;
    const networks = this.#read();
    const hasMoved = networks !== this.#networks;
    this.#networks = networks;
    if (wasAsleep || hasMoved) this.#retry();
  }

  #retry(): void {
    for (const server of this.#deps.fleet.servers) server.retryNow();
  }

  #read(): string {
    return (this.#deps.networks ?? ownNetworks)();
  }
}

function ownNetworks(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all
    .filter(({ internal }) => !internal)
    .map(({ cidr, address }) => cidr ?? address)
    .sort()
    .join();
}
