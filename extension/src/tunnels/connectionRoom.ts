import { t } from "@vscode/l10n";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";

/** Connections of one tunnel at once. */
const TUNNEL_MAX = 256;
/**
 * Those of all tunnels of a window: each takes two of the descriptors that its extensions share. The door for `ssh`,
 * to which no other account of the computer can come, has a number of its own beside them.
 */
const WINDOW_MAX = 512;
/** Refusals within so long after one that was told are told by their number. */
const BURST_MS = 10_000;

/** Where refusals are told; without it they are not. */
interface RoomDeps {
  readonly log: Log;
  readonly clock: Pick<Clock, "after">;
}

/**
 * The places for connections of the tunnels of a window. Any program and any account of the computer can come to their
 * ports: without an end they took the sockets that the person has at the server, and all descriptors of the editor.
 */
export class ConnectionRoom {
  readonly #deps: RoomDeps | undefined;
  #taken = 0;
  #others = 0;
  #isBurst = false;

  constructor(deps?: RoomDeps) {
    this.#deps = deps;
  }

  /** Takes a place for a tunnel that has so many; answers why there is none, as a sentence. */
  take(own: number): string | undefined {
    const why = this.#whyFull(own);
    if (why === undefined) this.#taken += 1;
    else this.#tell(why);
    return why;
  }

  /** Gives a place back. */
  leave(): void {
    this.#taken -= 1;
  }

  #whyFull(own: number): string | undefined {
    if (own >= TUNNEL_MAX) {
      return t("A tunnel has {0} connections at once at the most.", TUNNEL_MAX);
    }
    if (this.#taken < WINDOW_MAX) return undefined;
    return t("The tunnels of a window have {0} connections at once at the most.", WINDOW_MAX);
  }

  #tell(why: string): void {
    if (this.#deps === undefined) return;
    if (this.#isBurst) {
      this.#others += 1;
      return;
    }
    this.#isBurst = true;
    this.#deps.log.warn("a connection to a tunnel was refused", { why });
    this.#deps.clock.after(BURST_MS, () => this.#endBurst());
  }

  #endBurst(): void {
    const connections = this.#others;
    this.#isBurst = false;
    this.#others = 0;
    if (connections === 0) return;
    this.#deps?.log.warn("more connections to tunnels were refused", { connections });
  }
}
