import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Audit } from "../audit/entry.ts";
import type { Clock } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import type { RequireHeld } from "../store/files/durableFile.ts";
import type { Database } from "../store/sqlite/database.ts";

/** The parts without which nobody can sign in, or nothing can be granted. */
export const PARTS = ["disk", "store", "audit", "eventLoop"] as const;
/** A part of the server that may fail by itself. */
export type Part = (typeof PARTS)[number];

/** Whether the server can do its work, and what it took to find that out, in seconds. */
export interface Report {
  readonly isReady: boolean;
  readonly parts: Readonly<Record<Part, "ok" | "failed">>;
  readonly seconds: Readonly<Record<Part, number>>;
}

/** What readiness is found out with. */
export interface ReadinessDeps {
  /** The data directory. */
  readonly directory: string;
  /** Awaited before anything is tried there. */
  readonly requireHeld: RequireHeld;
  readonly database: Pick<Database, "all">;
  readonly audit: Pick<Audit, "ready">;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn" | "info">;
}

/** What was found out is good for so long: whoever asks more often makes no work. */
const KEPT_MS = 1_000;
/** A part that does not answer within this has failed. */
const PATIENCE_MS = 5_000;
/** A loop that takes a turn no sooner than this serves nobody well. */
const LOOP_DELAY_MAX_S = 1;
/** Written, synced and removed: what is in it says nothing, but takes a block of the disk. */
const PROBE_FILE = ".ready";
const PROBE_BYTES = 4_096;
const FILE_MODE = 0o600;
const ONE = z.object({ one: z.literal(1) });

/**
 * Tries whether the server can do its work: a durable write into the data directory, an answer of
 * the database, the audit log, a turn of the event loop. Whoever asks while it tries gets the same
 * answer, and nothing is tried unless somebody asks.
 */
export class Readiness {
  readonly #deps: ReadinessDeps;
  #latest: { readonly report: Promise<Report>; readonly atMs: number } | undefined;
  /** Whether the latest one is still being found out: a disk that hangs is not tried again and again. */
  #isTrying = false;
  #wasReady = true;

  constructor(deps: ReadinessDeps) {
    this.#deps = deps;
  }

  /** How it stands; never rejects. */
  report(): Promise<Report> {
    const nowMs = this.#deps.clock.monotonic();
    const isFresh = this.#latest !== undefined && nowMs - this.#latest.atMs < KEPT_MS;
    if (this.#latest !== undefined && (isFresh || this.#isTrying)) return this.#latest.report;
    this.#isTrying = true;
    const report = this.#find().finally(() => {
      this.#isTrying = false;
    });
    this.#latest = { report, atMs: nowMs };
    return report;
  }

  async #find(): Promise<Report> {
    const found = await Promise.all(PARTS.map((part) => this.#try(part)));
    const parts = Object.fromEntries(found.map(({ part, isOk }) => [part, isOk ? "ok" : "failed"]));
    const seconds = Object.fromEntries(found.map((one) => [one.part, one.seconds]));
    const isReady = found.every(({ isOk }) => isOk);
    if (isReady !== this.#wasReady) this.#tell(isReady, found);
    this.#wasReady = isReady;
    return {
      isReady,
      parts: parts as Report["parts"],
      seconds: seconds as Report["seconds"],
    };
  }

  #tell(isReady: boolean, found: readonly Finding[]): void {
    if (isReady) {
      this.#deps.log.info("the server is ready again");
      return;
    }
    const failed = found.filter(({ isOk }) => !isOk);
    const parts = failed.map(({ part }) => part).join(", ");
    this.#deps.log.warn("the server is not ready", { parts, reason: failed[0]?.reason });
  }

  async #try(part: Part): Promise<Finding> {
    const { clock } = this.#deps;
    const startMs = clock.monotonic();
    const secondsNow = (): number => (clock.monotonic() - startMs) / 1_000;
    try {
      await this.#withPatience(this.#work(part));
      const seconds = secondsNow();
      const isOk = part !== "eventLoop" || seconds <= LOOP_DELAY_MAX_S;
      return { part, isOk, seconds, reason: isOk ? undefined : "a turn takes too long" };
    } catch (caught) {
      return { part, isOk: false, seconds: secondsNow(), reason: errorText(caught) };
    }
  }

  #work(part: Part): Promise<unknown> {
    const { directory, requireHeld, database, audit } = this.#deps;
    switch (part) {
      case "disk":
        return requireHeld().then(() => writeProbe(join(directory, PROBE_FILE)));
      case "store":
        return database.all({ sql: "SELECT 1 AS one", params: [] }, ONE);
      case "audit":
        return audit.ready();
      case "eventLoop":
        return new Promise((resolve) => setImmediate(resolve));
    }
  }

  #withPatience(work: Promise<unknown>): Promise<unknown> {
    const { promise, reject } = Promise.withResolvers<never>();
    const onOver = () => reject(new Error("it does not answer"));
    const timer = this.#deps.clock.after(PATIENCE_MS, onOver);
    return Promise.race([work, promise]).finally(() => timer.cancel());
  }
}

interface Finding {
  readonly part: Part;
  readonly isOk: boolean;
  readonly seconds: number;
  readonly reason: string | undefined;
}

async function writeProbe(path: string): Promise<void> {
  const file = await open(path, "w", FILE_MODE);
  try {
    await file.writeFile(Buffer.alloc(PROBE_BYTES, "."));
    await file.datasync();
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}
