import { stat } from "node:fs/promises";
import { RportError } from "@rport/protocol/errors";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { codeOf, type RequireHeld } from "./durableFile.ts";
import type { DirectoryLock } from "./lock.ts";

/** How often a server that writes nothing looks whether its directory is still there. */
const LOOK_MS = 5_000;
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/** Who holds a directory, and who is told when it is another one. */
export interface HeldDirectoryDeps {
  readonly directory: string;
  readonly lock: DirectoryLock;
  /** Called once: whatever this process still does is not seen by who uses the directory. */
  readonly onMoved?: (() => void) | undefined;
  readonly clock: Pick<Clock, "after">;
  readonly log: Pick<Log, "error">;
}

/**
 * A data directory for as long as it is ours. The kernel's lock is on the file, not on its name: who
 * moves the directory away, or puts a backup in its place, has one that is free, and another server
 * may have it already. So the file that the name leads to is compared with the one that is locked.
 */
export class HeldDirectory {
  readonly #deps: HeldDirectoryDeps;
  #timer: Timer | undefined;
  #isMoved = false;

  constructor(deps: HeldDirectoryDeps) {
    this.#deps = deps;
  }

  /** See `RequireHeld`. */
  readonly require: RequireHeld = async () => {
    if (!this.#isMoved && (await this.#isThere())) return;
    this.#moved();
    throw new RportError(
      "UNAVAILABLE",
      "The data directory was moved or replaced while the server ran; nothing was written.",
    );
  };

  /** From now on it looks by itself, too, every five seconds. */
  watch(): void {
    this.#timer = this.#deps.clock.after(LOOK_MS, () => void this.#look());
  }

  /** Looks a last time, and gives the directory back; in another's place nothing is touched. */
  async release(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.require().catch(() => undefined);
    this.#deps.lock.release();
  }

  async #look(): Promise<void> {
    await this.require().catch(() => undefined);
    if (this.#timer !== undefined && !this.#isMoved) this.watch();
  }

  async #isThere(): Promise<boolean> {
    const { lock } = this.#deps;
    try {
      return lock.isAt(await stat(lock.path, { bigint: true }));
    } catch (caught) {
      if (GONE.has(codeOf(caught))) return false;
      throw caught;
    }
  }

  #moved(): void {
    if (this.#isMoved) return;
    this.#isMoved = true;
    const { directory, log, onMoved } = this.#deps;
    log.error("the data directory was moved or replaced while the server ran", { directory });
    onMoved?.();
  }
}
