import type { KeyObject } from "node:crypto";
import { rm } from "node:fs/promises";
import { RportError } from "@rport/protocol/errors";
import type { RecordingId } from "@rport/protocol/terminal/recording";
import type { TerminalId } from "@rport/protocol/terminal/terminal";
import type { Limits } from "../limits/limits.ts";
import type { Clock } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import { lookAtRecording } from "./lookAtRecording.ts";
import type { RecordingFacts } from "./recordingFacts.ts";
import { listRecordings, pathOf } from "./recordingFile.ts";

const DAY_MS = 86_400_000;

/** Why the oldest recording goes. */
export type BittenLimit = "recordings" | "recordings_bytes" | "recording_days";

/** What the shelf stands on. */
export interface RecordingShelfDeps {
  readonly directory: string;
  readonly auditKey: KeyObject;
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  /** One has to go for a limit. */
  readonly onExpired: (facts: RecordingFacts, limit: BittenLimit) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Which recordings there are on disk, and the room that all may take: the oldest go first. */
export class RecordingShelf {
  readonly #deps: RecordingShelfDeps;
  /** Those that are written, with their bytes: they have their room, and stay. */
  readonly #running = new Map<RecordingId, number>();
  /** The others, the oldest first, by their ends. */
  readonly #there = new Map<RecordingId, RecordingFacts>();
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

  /** Makes room for one more, which is written from now on. */
  begin(id: RecordingId): void {
    this.#running.set(id, 0);
    this.#trim();
  }

  /** Gives one that is written so many bytes more. Throws `DISK_FULL` where nothing is left that could go. */
  grow(id: RecordingId, bytes: number): void {
    const { limits } = this.#deps;
    const max = limits.max("recordings_bytes");
    while (this.#bytes + bytes > max) {
      if (this.#expireOldest("recordings_bytes")) continue;
      limits.bite("recordings_bytes", { recording: id });
      throw new RportError(
        "DISK_FULL",
        "This terminal has to be recorded, and recordings have no room (recordings_bytes).",
      );
    }
    this.#running.set(id, (this.#running.get(id) ?? 0) + bytes);
    this.#bytes += bytes;
  }

  /** It is written no more. Undefined: it was given up, and there is nothing of it. */
  end(id: RecordingId, facts: RecordingFacts | undefined): void {
    this.#bytes -= this.#running.get(id) ?? 0;
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
    while (this.#there.size + this.#running.size > max && this.#expireOldest("recordings"));
  }

  /** Whether there was one that could go. */
  #expireOldest(limit: BittenLimit): boolean {
    const [oldest] = this.#there.values();
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
    this.#bytes += facts.bytes;
  }

  #forget({ id, bytes }: RecordingFacts): void {
    if (this.#there.delete(id)) this.#bytes -= bytes;
  }
}

function endOf({ last, fileAtMs }: RecordingFacts): number {
  return last?.endedAtMs ?? fileAtMs;
}
