import type { KeyObject } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import { type Clock, type Timer, toTime } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import type { ChangeNumbers } from "../store/changeNumbers.ts";
import { codeOf } from "../store/files/durableFile.ts";
import { type Head, type SealedEntry, START, sealEntry } from "./chain.ts";
import { type Audit, type AuditEntry, bodyOf } from "./entry.ts";
import { resume } from "./resume.ts";
import { makeAuditDirectory, type OpenSegmentFile, openSegmentFile } from "./segments.ts";
import { SegmentWriter } from "./segmentWriter.ts";

/** Entries in one write: bounds how long a single one takes. */
const BATCH_MAX = 500;
/** Noted entries that may wait for a disk that hangs; beyond it they are counted as lost. */
const NOTED_MAX = 20_000;
/** Entries that somebody waits for and that may wait beside those; beyond it who waits is told. */
const AWAITED_MAX = 20_000;
/** As long as so many of them wait, nothing is granted: what was begun before finds a place. */
const GRANTING_MAX = AWAITED_MAX / 2;
const TOO_SLOW = "more entries came than the disk takes";
/** After entries were lost, how often the disk is tried. */
const RETRY_MS = 5_000;

/** What learns of entries when they are durable. */
export interface AuditFollower {
  /** The last entry it knows. */
  last(): Promise<Head>;
  add(entries: readonly SealedEntry[]): void;
}

/** What the log is made of. */
export interface AuditLogDeps {
  readonly directory: string;
  /** Kept elsewhere than the log. An object, because with bytes each HMAC takes four times as long. */
  readonly key: KeyObject;
  readonly follower: AuditFollower;
  readonly clock: Clock;
  readonly log: Log;
  readonly openFile?: OpenSegmentFile;
  /** The numbers of the last changes that are known to be durable. */
  readonly lastNumbers?: () => ChangeNumbers;
  /** Bytes after which a segment is followed by a new one. */
  readonly segmentMaxBytes?: number;
}

interface Waiting {
  /** Undefined: only somebody who waits for everything before. */
  readonly entry: AuditEntry | undefined;
  readonly atMs: number;
  readonly isAwaited: boolean;
  readonly done: () => void;
}

type Kind = "noted" | "awaited" | "mark";

/**
 * The audit log: a chain of entries in files that are only appended to. Entries that arrive while
 * the disk syncs share the next write, so an entry waits for two syncs at most. Entries that the
 * disk does not take are counted, and the first that it takes again says how many are missing. Those
 * that somebody waits for have places of their own, which no flood of others takes.
 */
export class AuditLog implements Audit {
  readonly #deps: AuditLogDeps;
  readonly #writer: SegmentWriter;
  #head: Head;
  #waiting: Waiting[] = [];
  readonly #counts: Record<Kind, number> = { noted: 0, awaited: 0, mark: 0 };
  #draining: Promise<void> | undefined;
  /** Lost entries that no gap entry tells of yet. */
  #missing = 0;
  #lost = 0;
  /** Why the last write failed; undefined: it did not. */
  #failure: unknown;
  #retry: Timer | undefined;
  #isClosed = false;

  private constructor(deps: AuditLogDeps, writer: SegmentWriter, head: Head) {
    this.#deps = deps;
    this.#writer = writer;
    this.#head = head;
  }

  /**
   * Goes on with the log in a directory, or begins it. A line that a crash tore off is removed.
   * Where the chain is broken, a new segment begins with an entry that says so. Fails with the
   * system's errors when the directory cannot be made or read.
   */
  static async open(deps: AuditLogDeps): Promise<AuditLog> {
    const { directory, key, log, openFile = openSegmentFile } = deps;
    await makeAuditDirectory(directory);
    const at = await resume(directory, key, await lastKnown(deps));
    const isFinished = at.trouble !== undefined;
    const writer = new SegmentWriter({
      directory,
      openFile,
      number: at.number,
      length: at.length,
      month: at.month,
      isFinished,
      maxBytes: deps.segmentMaxBytes,
    });
    const audit = new AuditLog(deps, writer, at.head);
    if (at.torn > 0 && !isFinished) {
      log.warn("an unfinished audit entry was cut off", { bytes: at.torn });
    }
    if (at.trouble !== undefined) {
      log.error("the audit log is damaged; it goes on in a new file", {
        what: `${at.trouble.what}`,
      });
      audit.note({ application: "audit", action: "break", response: at.trouble });
    }
    return audit;
  }

  /** The last entry that is on disk. */
  get head(): Head {
    return this.#head;
  }

  /** How many entries wait for the disk. */
  get waiting(): number {
    return this.#counts.noted + this.#counts.awaited;
  }

  /** How many entries were lost since the start. */
  get lost(): number {
    return this.#lost;
  }

  async record(entry: AuditEntry): Promise<void> {
    if (this.#isClosed || this.#counts.awaited >= AWAITED_MAX) throw this.#refused(entry);
    await new Promise<void>((done) => this.#push({ entry, isAwaited: true, done }));
  }

  note(entry: AuditEntry): void {
    if (this.#isClosed) return;
    if (this.#counts.noted < NOTED_MAX) this.#push({ entry, isAwaited: false, done: () => {} });
    else this.#overrun();
  }

  settled(): Promise<void> {
    return this.#draining === undefined ? Promise.resolve() : this.#mark();
  }

  async ready(): Promise<void> {
    if (this.#counts.awaited >= GRANTING_MAX) {
      throw new RportError("UNAVAILABLE", "The audit log is behind; nothing was changed.");
    }
    if (this.#failure === undefined) return;
    await this.#mark();
    if (this.#failure === undefined) return;
    const isFull = ["ENOSPC", "EDQUOT"].includes(codeOf(this.#failure));
    const title = "The audit log cannot be written; nothing was changed.";
    throw new RportError(isFull ? "DISK_FULL" : "UNAVAILABLE", title, { cause: this.#failure });
  }

  /** Writes what waits; later entries are dropped. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    await this.#draining;
    await this.#writer.close();
  }

  /** Resolves when what waits now was written, or is lost. Its place is with who waits for it. */
  async #mark(): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((done) => this.#push({ entry: undefined, isAwaited: true, done }));
  }

  #push(given: Omit<Waiting, "atMs">): void {
    const waiting = { ...given, atMs: this.#deps.clock.now() };
    this.#counts[kindOf(waiting)] += 1;
    this.#waiting.push(waiting);
    this.#draining ??= this.#drain();
  }

  /** What was done has no place in the log: counted, logged, and told to whoever waits for it. */
  #refused(entry: AuditEntry): RportError {
    if (!this.#isClosed) this.#overrun();
    this.#tellUnwritten(entry);
    return new RportError("UNAVAILABLE", "It was done, but the audit log has no entry of it.", {
      detail: "Look at what is there now before you try again.",
    });
  }

  #overrun(): void {
    if (this.#missing === 0) {
      this.#deps.log.error("entries of the audit log are lost", { reason: TOO_SLOW });
    }
    this.#lose(1);
  }

  async #drain(): Promise<void> {
    // What is pushed in the same turn of the event loop shares the first write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      for (const one of batch) this.#counts[kindOf(one)] -= 1;
      await this.#write(batch);
      for (const { done } of batch) done();
    }
    this.#draining = undefined;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const missing = this.#missing;
    const sealed = this.#seal(batch, missing);
    const last = sealed.at(-1);
    if (last === undefined) return;
    const bytes = Buffer.from(sealed.map(({ line }) => `${line}\n`).join(""));
    try {
      await this.#writer.append(bytes, last.body.at.slice(0, 7));
    } catch (caught) {
      this.#failed(batch, caught);
      return;
    }
    this.#head = { seq: last.seq, hash: last.hash };
    this.#missing -= missing;
    this.#failure = undefined;
    if (missing > 0) this.#deps.log.warn("the audit log is written again", { lost: missing });
    this.#deps.follower.add(sealed);
  }

  #seal(batch: readonly Waiting[], missing: number): SealedEntry[] {
    const { clock, key, lastNumbers } = this.#deps;
    const numbers = { ...lastNumbers?.() };
    const entries = batch.flatMap(({ entry, atMs }) =>
      entry === undefined ? [] : { entry, atMs },
    );
    if (missing > 0) entries.unshift({ entry: gapEntry(missing), atMs: clock.now() });
    let head = this.#head;
    return entries.map(({ entry, atMs }) => {
      const place = { ...numbers, seq: head.seq + 1, at: toTime(atMs), prev: head.hash };
      const sealed = sealEntry(bodyOf(entry, place), key);
      head = sealed;
      return sealed;
    });
  }

  #failed(batch: readonly Waiting[], caught: unknown): void {
    if (this.#failure === undefined) {
      this.#deps.log.error("the audit log cannot be written", { reason: errorText(caught) });
    }
    this.#failure = caught;
    const lost = batch.filter(({ entry }) => entry !== undefined);
    for (const { entry, isAwaited } of lost) {
      if (entry !== undefined && isAwaited) this.#tellUnwritten(entry);
    }
    this.#lose(lost.length);
  }

  #tellUnwritten({ application, action, affectedId: affected, user }: AuditEntry): void {
    const what = `${application} ${action}`;
    this.#deps.log.error("something was done without its audit entry", { what, affected, user });
  }

  #lose(count: number): void {
    this.#missing += count;
    this.#lost += count;
    if (this.#isClosed) return;
    this.#retry?.cancel();
    this.#retry = this.#deps.clock.after(RETRY_MS, () => {
      if (this.#missing > 0) void this.#mark();
    });
  }
}

function kindOf({ entry, isAwaited }: Waiting): Kind {
  if (entry === undefined) return "mark";
  return isAwaited ? "awaited" : "noted";
}

/** An index that cannot be read, as on a full disk, knows nothing, and stops nobody. */
async function lastKnown({ follower, log }: AuditLogDeps): Promise<Head> {
  try {
    return await follower.last();
  } catch (caught) {
    log.warn("the audit index cannot be read", { reason: errorText(caught) });
    return START;
  }
}

function gapEntry(lost: number): AuditEntry {
  return { application: "audit", action: "gap", response: { lost } };
}
