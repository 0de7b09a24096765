import type { TerminalSignal } from "@rport/protocol/terminal/terminal";
import { guarded, type OnFault } from "@rport/protocol/wire/contain";
import type { Clock, Timer } from "../platform/clock.ts";
import type { ProcessGroups } from "./processGroups.ts";
import type { Pty } from "./pty.ts";

/** A program that was to be stopped by a key behind input that waits has so long to obey it. */
const STUCK_MS = 50;
/** The keys that are signals, where they are. */
const SIGNAL_KEYS: ReadonlyMap<number, TerminalSignal> = new Map([
  [0x03, "INT"],
  [0x1c, "QUIT"],
  [0x1a, "TSTP"],
]);

/** What urgent keys are looked after with. */
export interface UrgentKeysDeps {
  readonly pty: Pick<Pty, "obeysKeys">;
  readonly groups: Pick<ProcessGroups, "front" | "signal">;
  readonly clock: Clock;
  readonly onFault: OnFault;
}

/**
 * Keys that are to stop a program although it has not read what was sent before, where that cannot be
 * thrown away: behind such input a key may not be seen, because a terminal that is full drops it.
 */
export class UrgentKeys {
  readonly #deps: UrgentKeysDeps;
  #looking: Timer | undefined;
  /** The signal of the newest key. */
  #signal: TerminalSignal = "INT";
  #isAsking = false;
  #isOver = false;

  constructor(deps: UrgentKeysDeps) {
    this.#deps = deps;
  }

  /**
   * Sends the signal of a key to a program that is still in front a moment after it was typed; of
   * several within the moment, that of the last.
   */
  async seeObeyed(key: Buffer): Promise<void> {
    const signal = key.length === 1 ? SIGNAL_KEYS.get(key.readUInt8()) : undefined;
    if (signal === undefined) return;
    this.#signal = signal;
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const front = await this.#deps.groups.front();
      if (front !== undefined && !this.#isOver) this.#lookSoon(front, this.#signal);
    } finally {
      this.#isAsking = false;
    }
  }

  #lookSoon(front: number, signal: TerminalSignal): void {
    const { pty, groups, clock, onFault } = this.#deps;
    const look = async () => {
      const isStuck = (await pty.obeysKeys()) && (await groups.front()) === front;
      if (isStuck && !this.#isOver) await groups.signal(front, signal);
    };
    this.#looking?.cancel();
    this.#looking = clock.after(STUCK_MS, guarded(onFault, look));
  }

  /** Its program has ended. */
  cancel(): void {
    this.#isOver = true;
    this.#looking?.cancel();
  }
}
