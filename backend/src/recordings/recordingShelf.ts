import type { KeyObject } from "node:crypto";
import { rm } from "node:fs/promises";
import { RportError } from "@rport/protocol/errors";
import type { RecordingId } from "@rport/protocol/terminal/recording";
import type { TerminalId } from "@rport/protocol/terminal/terminal";
import type { Limits } from "../limits/limits.ts";
import type { Sharer } from "../limits/sharer.ts";
import { UserBudget } from "../limits/userBudget.ts";
import type { Clock } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import { lookAtRecording } from "./lookAtRecording.ts";
import type { RecordingFacts } from "./recordingFacts.ts";
import { listRecordings, pathOf } from "./recordingFile.ts";
import { type Amounts, RecordingOwners } from "./recordingOwners.ts";

const HOUR_S = 3_600;
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

/** Where a limit is lower than before, so many go at once for it; the others when somebody looks again. */
const TRIMMED_AT_ONCE = 5_000;

/** What a limit counts. */
const MEASURES = { recordings: "count", recordings_bytes: "bytes" } as const;

/** Who takes how much of a limit. */
interface Taking {
  readonly limit: keyof typeof MEASURES;
  readonly user: Sharer;
  readonly more: number;
}

interface Running {
  readonly user: Sharer;
  bytes: number;
}

/**
 * Which recordings there are on disk, and the room that all may take. Where there is none, the oldest of
 * whoever has most goes, and nobody's who has less than whoever takes it; and those of one user that are
 * written, which stay, leave room to others, as `SharedPlaces` does. Each that goes for a user has an entry in
 * the audit log, so no more go for one than may be written there.
 */
export class RecordingShelf {
  readonly #deps: RecordingShelfDeps;
  /** Those that are written: they have their room, and stay. */
  readonly #running = new Map<RecordingId, Running>();
  /** The others, the oldest first, by their ends. */
  readonly #there = new Map<RecordingId, RecordingFacts>();
  readonly #owners = new RecordingOwners();
  readonly #displaced: UserBudget;
  /** Of all. */
  #bytes = 0;
  #loaded: Promise<void> | undefined;

  constructor(deps: RecordingShelfDeps) {
    this.#deps = deps;
    this.#displaced = new UserBudget(deps, "stream_entries_per_user", HOUR_S);
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

  /** Makes room for one more of this user's, which is written from now on. Throws as `grow`. */
  begin(id: RecordingId, user: Sharer): void {
    this.#take({ limit: "recordings", user, more: 1 });
    this.#running.set(id, { user, bytes: 0 });
    this.#owners.begin(user.accountId);
  }

  /**
   * Gives one that is written so many bytes more. Throws `CONFLICT` where its user has their share already,
   * `TOO_MANY_REQUESTS` where too many went for them of late, and `DISK_FULL` where nothing is left that could go.
   */
  grow(id: RecordingId, bytes: number): void {
    const running = this.#running.get(id);
    if (running === undefined) throw new Error("only what is written grows");
    this.#take({ limit: "recordings_bytes", user: running.user, more: bytes });
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
    this.#shrink("recordings");
    this.#shrink("recordings_bytes");
  }

  /** What is beyond a limit that was lowered goes for nobody, so nobody's budget is spent for it. */
  #shrink(limit: Taking["limit"]): void {
    const measure = MEASURES[limit];
    const max = this.#deps.limits.max(limit);
    for (let gone = 0; gone < TRIMMED_AT_ONCE && this.#amounts[measure] > max; gone += 1) {
      const oldest = this.#owners.oldestOfMost(measure);
      if (oldest === undefined) return;
      this.#expire(oldest, limit);
    }
  }

  /** Of all. */
  get #amounts(): Amounts {
    return { bytes: this.#bytes, count: this.#there.size + this.#running.size };
  }

  /** Has others go until there is room. */
  #take(taking: Taking): void {
    const { limits } = this.#deps;
    const { limit, user, more } = taking;
    const measure = MEASURES[limit];
    this.#requireShare(taking);
    const taker = limits.isShared ? { owner: user.accountId, more } : undefined;
    while (this.#amounts[measure] + more > limits.max(limit)) {
      const oldest = this.#owners.oldestOfMost(measure, taker);
      if (oldest === undefined) throw this.#noRoom(taking);
      if (this.#displaced.spend(user) > 0) {
        throw new RportError(
          "TOO_MANY_REQUESTS",
          "This terminal has to be recorded, and too many recordings went for yours; try again later.",
        );
      }
      this.#expire(oldest, limit);
    }
  }

  #noRoom(taking: Taking): RportError {
    if (this.#there.size > 0) return this.#shareTaken(taking);
    const { limit, user } = taking;
    this.#deps.limits.bite(limit, { user: user.name });
    const why = `recordings have no room (${limit})`;
    return new RportError("DISK_FULL", `This terminal has to be recorded, and ${why}.`);
  }

  /** The first one is anybody's. */
  #requireShare(taking: Taking): void {
    const { limit, user, more } = taking;
    const { limits } = this.#deps;
    if (!limits.isShared) return;
    const measure = MEASURES[limit];
    const own = this.#owners.runningOf(user.accountId)[measure];
    const leftAfter = limits.max(limit) - this.#owners.running[measure] - more;
    if (own === 0 || own + more <= leftAfter * (LEFT_PART - 1)) return;
    throw this.#shareTaken(taking);
  }

  #shareTaken({ limit, user: { accountId, name: user } }: Taking): RportError {
    const { limits } = this.#deps;
    const share = this.#owners.runningOf(accountId)[MEASURES[limit]];
    limits.bite(limit, { user, share, of: limits.max(limit) });
    return new RportError(
      "CONFLICT",
      `Your recorded terminals have their share of the room (${limit}); others need the rest.`,
    );
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
