import { t } from "@vscode/l10n";
import type { Clock, Timer } from "../support/clock.ts";
import { plural } from "../support/plural.ts";

const MINUTE_MS = 60_000;
/** How often it is looked at what nobody uses. */
const LOOK_MS = MINUTE_MS;

/** Why a tunnel is closed, as a sentence. */
export function whyIdle(limitMs: number): string {
  const minutes = Math.round(limitMs / MINUTE_MS);
  return plural(
    minutes,
    t("It was closed: nobody used it for {0} minute.", minutes),
    t("It was closed: nobody used it for {0} minutes.", minutes),
  );
}

/** What finding tunnels that nobody uses needs. */
export interface IdleTunnelsDeps {
  readonly clock: Clock;
  /** After how long without any connection a tunnel is closed, in milliseconds; 0: never. */
  readonly limitMs: () => number;
  /** Closes a tunnel that nobody has used for at least `limitMs`. */
  readonly end: (id: string, limitMs: number) => void;
}

/**
 * Since when nobody has used open tunnels, by their ids, and the end of those that wait too long, whatever the
 * computer's clock is set to meanwhile.
 */
export class IdleTunnels {
  readonly #deps: IdleTunnelsDeps;
  readonly #since = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(deps: IdleTunnelsDeps) {
    this.#deps = deps;
  }

  /** Takes over how many connections an open tunnel has now. */
  see(id: string, connections: number): void {
    if (connections > 0) this.#since.delete(id);
    else if (!this.#since.has(id)) this.#since.set(id, this.#deps.clock.monotonic());
    this.#lookLater();
  }

  /** A tunnel is not open any more. */
  forget(id: string): void {
    this.#since.delete(id);
    if (this.#since.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #lookLater(): void {
    if (this.#since.size === 0) return;
    this.#timer ??= this.#deps.clock.after(LOOK_MS, () => {
      this.#timer = undefined;
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const { clock, end } = this.#deps;
    const limitMs = this.#deps.limitMs();
    if (limitMs <= 0) return;
    for (const [id, since] of [...this.#since])
      if (clock.monotonic() - since >= limitMs) end(id, limitMs);
  }
}
