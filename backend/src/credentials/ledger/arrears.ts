import { RportError } from "@rport/protocol/errors";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { errorText } from "../../platform/log.ts";

/** A disk that refused is asked again then. */
const RETRY_MS = 5_000;

/** What the arrears need. */
export interface ArrearsDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes something down that is in force already; may be called again after it failed. */
export type OwedWrite = () => Promise<void>;

/**
 * What was taken away in memory, so that it is in force, although the disk did not take it: written
 * as soon as the disk does. Only what takes rights away may be owed: a restart before it is written
 * brings back the state before, which whoever asked was told.
 */
export class Arrears {
  readonly #deps: ArrearsDeps;
  readonly #owed = new Set<OwedWrite>();
  #timer: Timer | undefined;

  constructor(deps: ArrearsDeps) {
    this.#deps = deps;
  }

  /** How many writes the disk has yet to take. */
  get count(): number {
    return this.#owed.size;
  }

  /** Tries the write again and again until it succeeds. */
  owe(write: OwedWrite): void {
    this.#owed.add(write);
    this.#timer ??= this.#deps.clock.after(RETRY_MS, () => {
      this.#timer = undefined;
      void this.#retry();
    });
  }

  /** Tries everything once more, and then no longer. */
  async close(): Promise<void> {
    await this.#settle();
    this.#timer?.cancel();
  }

  async #retry(): Promise<void> {
    await this.#settle();
    const [first] = this.#owed;
    if (first === undefined) this.#deps.log.info("what was not durable is on disk now");
    else this.owe(first);
  }

  async #settle(): Promise<void> {
    const tries = [...this.#owed].map(async (write) => {
      try {
        await write();
        this.#owed.delete(write);
      } catch (caught) {
        this.#deps.log.debug("still not durable", { reason: errorText(caught) });
      }
    });
    await Promise.all(tries);
  }
}

/** Tells that something is in force but not written; `done` is a sentence without its end. */
export function notDurable(done: string, caught: unknown): RportError {
  const { code } = RportError.from(caught);
  const trouble = code === "DISK_FULL" ? "the server's disk is full" : "the server's disk failed";
  return new RportError("NOT_DURABLE", `${done}, but this is not durable yet: ${trouble}.`, {
    detail:
      "The server writes it as soon as the disk takes it. Until then, a restart of the server " +
      "would take it back.",
    cause: caught,
  });
}

/** What the disk failed with; undefined: it is on disk. Throws what is not the disk's fault. */
export async function failureOf(write: OwedWrite): Promise<RportError | undefined> {
  try {
    await write();
    return undefined;
  } catch (caught) {
    const error = RportError.from(caught);
    if (error.status < 500) throw error;
    return error;
  }
}
