import type { KeyObject } from "node:crypto";
import { rm } from "node:fs/promises";
import { RportError } from "@rport/protocol/errors";
import type { RecordingId } from "@rport/protocol/terminal/recording";
import type { TerminalId } from "@rport/protocol/terminal/terminal";
import type { Limits } from "../limits/limits.ts";
import type { Sharer } from "../limits/sharer.ts";
import type { Clock } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import { lookAtRecording } from "./lookAtRecording.ts";
import type { RecordingFacts } from "./recordingFacts.ts";
import { listRecordings, pathOf } from "./recordingFile.ts";
import { type Measure, RecordingOwners } from "./recordingOwners.ts";

const DAY_MS = 86_400_000;

/** Why a recording goes. */
export type BittenLimit = "recordings" | "recordings_bytes" | "recording_days";

/** What the shelf stands on. */
export interface RecordingShelfDeps {
  readonly directory: string;
  readonly auditKey: KeyObject;
  readonly limits: Pick<Limits, "max" | "bite" | "isShared" | "watch">;
  /** One has to go for a limit. */
  readonly onExpired: (facts: RecordingFacts, limit: BittenLimit) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whose terminals are recorded leaves a quarter of what those of others have not taken. */
const LEFT_PART = 4;

interface Running {
  readonly user: Sharer;
  bytes: number;
}

/**
 * Which recordings there are on disk, and the room that all may take. Where there is none, the oldest of
 * whoever has most goes; and those of one user that are written, which stay, leave room to others, as
 * `SharedPlaces` does.
 */
export class RecordingShelf {
  readonly #deps: RecordingShelfDeps;
  /** Those that are written: they have their room, and stay. */
  readonly #running = new Map<RecordingId, Running>();
  /** The others, the oldest first, by their ends. */
  readonly #there = new Map<RecordingId, RecordingFacts>();
  readonly #owners = new RecordingOwners();
  /** Of all. */
  #bytes = 0;
  #loaded: Promise<void> | undefined;

  constructor(deps: RecordingShelfDeps) {
    this.#deps = deps;
    deps.limits.watch("recordings", () => this.#there.size + this.#running.size);
    deps.limits.watch("recordings_bytes", () => this.#bytes);
  }

  /** Resolves when it is known what is on disk, and what is too old is gone. Fails with the system's errors. */
  async ready(): Promise<void> {
    this.#loaded ??= this.#load().catch((caught: unknown) => {
      this.#loaded = undefined;
      throw caught;
    });
    await this.#loaded;
    this.#trim();
  }

  /** Those that are not written any more, oldest first. */
  all(): readonly RecordingFacts[] {
    return [...this.#there.values()];
  }

  get(id: RecordingId): RecordingFacts | undefined {
    return this.#there.get(id);
  }

  isRunning(id: RecordingId): boolean {
    return this.#running.has(id);
  }

  /** The last part that there is of a terminal. */
  lastOf(terminalId: TerminalId): RecordingFacts | undefined {
    return this.all()
      .filter(({ id }) => id.startsWith(`${terminalId}.`))
      .reduce<RecordingFacts | undefined>(
        (last, one) => (last === undefined || one.part > last.part ? one : last),
        undefined,
      );
  }

  /** Makes room for one more of this user's, which is written from now on. */
  begin(id: RecordingId, user: Sharer): void {
    this.#running.set(id, { user, bytes: 0 });
    this.#owners.begin(user.accountId);
    this.#trim();
  }

  /**
   * Gives one that is written so many bytes more. Throws `CONFLICT` where what is written of its user has their
   * share already, and `DISK_FULL` where nothing is left that could go.
   */
  grow(id: RecordingId, bytes: number): void {
    const running = this.#running.get(id);
    if (running === undefined) throw new Error("only what is written grows");
    const { limits } = this.#deps;
    const max = limits.max("recordings_bytes");
    this.#requireShare(running.user, bytes);
    while (this.#bytes + bytes > max) {
      if (this.#expireOldest("recordings_bytes", "bytes")) continue;
      limits.bite("recordings_bytes", { recording: id });
      throw new RportError(
        "DISK_FULL",
        "This terminal has to be recorded, and recordings have no room (recordings_bytes).",
      );
    }
    running.bytes += bytes;
    this.#owners.grow(running.user.accountId, bytes);
    this.#bytes += bytes;
  }

  /** It is written no more. Undefined: it was given up, and there is nothing of it. */
  end(id: RecordingId, facts: RecordingFacts | undefined): void {
    const running = this.#running.get(id);
    if (running !== undefined) {
      this.#owners.end(running.user.accountId, running.bytes);
      this.#bytes -= running.bytes;
    }
    this.#running.delete(id);
    if (facts !== undefined) this.#add(facts);
  }

  /** Takes one away, on disk, too. Fails with the system's errors. */
  async remove(facts: RecordingFacts): Promise<void> {
    await rm(facts.path, { force: true });
    this.#forget(facts);
  }

  async #load(): Promise<void> {
    const { directory, auditKey, log } = this.#deps;
    const found: RecordingFacts[] = [];
    for (const id of await listRecordings(directory)) {
      if (this.isRunning(id)) continue;
      const path = pathOf(directory, id);
      const facts = await lookAtRecording({ id, path }, auditKey).catch((caught: unknown) => {
        log.error("a recording cannot be read", { path, reason: errorText(caught) });
        return undefined;
      });
      if (facts !== undefined) found.push(facts);
    }
    found.sort((one, other) => endOf(one) - endOf(other));
    for (const facts of found) this.#add(facts);
  }

  #trim(): void {
    const { limits, clock } = this.#deps;
    const oldestMs = clock.now() - limits.max("recording_days") * DAY_MS;
    for (const facts of this.#there.values()) {
      if (endOf(facts) >= oldestMs) break;
      this.#expire(facts, "recording_days");
    }
    const max = limits.max("recordings");
    while (
      this.#there.size + this.#running.size > max &&
      this.#expireOldest("recordings", "count")
    );
  }

  #requireShare({ accountId, name }: Sharer, bytes: number): void {
    const { limits } = this.#deps;
    if (!limits.isShared) return;
    const max = limits.max("recordings_bytes");
    const own = this.#owners.runningBytesOf(accountId);
    const leftAfter = max - this.#owners.runningBytes - bytes;
    if (own + bytes <= leftAfter * (LEFT_PART - 1)) return;
    limits.bite("recordings_bytes", { user: name, share: own, of: max });
    throw new RportError(
      "CONFLICT",
      "Your recorded terminals have their share of the room (recordings_bytes); others need the rest.",
    );
  }

  /** Whether there was one that could go. */
  #expireOldest(limit: BittenLimit, measure: Measure): boolean {
    const oldest = this.#owners.oldestOfMost(measure);
    if (oldest !== undefined) this.#expire(oldest, limit);
    return oldest !== undefined;
  }

  #expire(facts: RecordingFacts, limit: BittenLimit): void {
    const { limits, onExpired, log } = this.#deps;
    this.#forget(facts);
    limits.bite(limit, { recording: facts.id });
    onExpired(facts, limit);
    rm(facts.path, { force: true }).catch((caught: unknown) =>
      log.error("a recording cannot be removed", { path: facts.path, reason: errorText(caught) }),
    );
  }

  #add(facts: RecordingFacts): void {
    this.#there.set(facts.id, facts);
    this.#owners.add(facts);
    this.#bytes += facts.bytes;
  }

  #forget(facts: RecordingFacts): void {
    if (!this.#there.delete(facts.id)) return;
    this.#owners.forget(facts);
    this.#bytes -= facts.bytes;
  }
}

function endOf({ last, fileAtMs }: RecordingFacts): number {
  return last?.endedAtMs ?? fileAtMs;
}
