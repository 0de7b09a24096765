import type { KeyObject } from "node:crypto";
import { rm } from "node:fs/promises";
import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import {
  type RecordingEnd,
  type RecordingId,
  type RecordingPiece,
  type RecordingView,
  recordingIdSchema,
} from "@rport/protocol/terminal/recording";
import {
  type TerminalEnd,
  type TerminalId,
  type TerminalSize,
  terminalIdSchema,
} from "@rport/protocol/terminal/terminal";
import { guarded } from "@rport/protocol/wire/contain";
import type { RecordingEvents } from "../audit/recordingEvents.ts";
import type { Limits } from "../limits/limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { loggedFault } from "../platform/faults.ts";
import { errorText, type Log } from "../platform/log.ts";
import { LogBursts } from "../platform/logBursts.ts";
import { Turns } from "../platform/turns.ts";
import type { RequireHeld } from "../store/files/durableFile.ts";
import { lookAtRecording } from "./lookAtRecording.ts";
import { readPiece } from "./readRecording.ts";
import { asFailure, Recorder } from "./recorder.ts";
import type { RecordingFacts, RecordingMeta } from "./recordingFacts.ts";
import { type OpenRecording, type OpenRecordingFile, pathOf } from "./recordingFile.ts";
import { RecordingShelf } from "./recordingShelf.ts";
import { runningView, viewOf } from "./recordingViews.ts";
import { fileKey, newPrefix } from "./sealedBlocks.ts";

/** How often it is looked which recordings have become too old. */
const TRIM_MS = 3_600_000;

/** What recordings stand on. */
export interface RecordingsDeps {
  readonly directory: string;
  /** The keys of all recordings come from it. */
  readonly auditKey: KeyObject;
  readonly openFile: OpenRecordingFile;
  readonly requireHeld: RequireHeld;
  /** Whether what is opened on a client now is to be recorded. */
  readonly isWanted: (clientId: ClientId) => boolean;
  /** A terminal cannot be recorded any more, with a sentence for whoever sits there. */
  readonly onFailed: (id: TerminalId, failure: RportError) => void;
  readonly events: RecordingEvents;
  readonly limits: Pick<Limits, "max" | "bite" | "isShared" | "watch">;
  readonly clock: Clock;
  readonly log: Log;
}

/** A terminal that is recorded. */
export interface RecordedTerminal extends Omit<RecordingMeta, "part" | "startedAtMs"> {
  readonly size: TerminalSize;
}

interface Live {
  readonly id: RecordingId;
  readonly path: string;
  readonly recorder: Recorder;
}

/** The recordings of terminals: those that are written, and those that are there. */
export class Recordings {
  readonly #deps: RecordingsDeps;
  readonly #shelf: RecordingShelf;
  readonly #live = new Map<TerminalId, Live>();
  readonly #turns = new Turns<TerminalId>();
  readonly #bursts: LogBursts;
  #timer: Timer | undefined;
  #failures = 0;

  constructor(deps: RecordingsDeps) {
    this.#deps = deps;
    this.#bursts = new LogBursts(deps);
    this.#shelf = new RecordingShelf({
      ...deps,
      onExpired: (facts, limit) => deps.events.expired(facts, limit),
    });
  }

  /** How often a terminal could not be recorded, and was ended or not opened for it. */
  get failures(): number {
    return this.#failures;
  }

  /** Reads what is there, and looks again each hour whether something has become too old. */
  start(): void {
    this.#shelf.ready().catch((caught: unknown) => {
      this.#deps.log.error("the recordings cannot be read", { reason: errorText(caught) });
    });
    this.#timer = this.#deps.clock.after(TRIM_MS, () => this.start());
  }

  /** Whether a terminal that is opened on the client now is to be recorded, until its end. */
  isWanted(clientId: ClientId): boolean {
    return this.#deps.isWanted(clientId);
  }

  /**
   * The recorder of a terminal that somebody is about to look at: the one it has, or another part behind
   * those that there are. Fails, with a sentence that fits a close frame, where nothing can be recorded.
   */
  async recorderOf(terminal: RecordedTerminal): Promise<Recorder> {
    return await this.#turns.run(terminal.terminalId, async () => {
      const live = this.#live.get(terminal.terminalId) ?? (await this.#begin(terminal));
      live.recorder.resize(terminal.size);
      return live.recorder;
    });
  }

  /**
   * It is over, and nobody is shown anything of it any more. Undefined: it was never begun. Of one that never
   * was there nothing is kept. Resolves when all that is done, or cannot be.
   */
  async over(terminalId: TerminalId, end: TerminalEnd | undefined): Promise<void> {
    const { how, code, signal } = end ?? { how: "failed" };
    await this.#finish(terminalId, { how, code, signal }).catch((caught: unknown) => {
      this.#deps.log.error("a recording was not ended", { reason: errorText(caught) });
    });
  }

  /** What there is, also what is still written. */
  async all(): Promise<readonly RecordingView[]> {
    await this.#shelf.ready();
    const running = [...this.#live.values()].map(({ id, recorder }) => runningView(id, recorder));
    return [...this.#shelf.all().map((facts) => viewOf(facts)), ...running];
  }

  /** A piece of one, as asciicast. Fails with `NOT_FOUND`, or `BAD_REQUEST` for a place that none gave. */
  async read(id: RecordingId, from: string | undefined): Promise<RecordingPiece> {
    await this.#shelf.ready();
    const { directory, auditKey } = this.#deps;
    const isRunning = this.#shelf.isRunning(id);
    if (!isRunning && this.#shelf.get(id) === undefined) throw noSuchRecording();
    return await readPiece({ id, path: pathOf(directory, id), auditKey, from, isRunning });
  }

  /** What is known of one. Fails with `NOT_FOUND`. */
  async metaOf(id: RecordingId): Promise<RecordingMeta | undefined> {
    await this.#shelf.ready();
    const live = [...this.#live.values()].find((one) => one.id === id);
    const facts = this.#shelf.get(id);
    if (live === undefined && facts === undefined) throw noSuchRecording();
    return live?.recorder.meta ?? facts?.meta;
  }

  /**
   * Deletes one. Fails with `NOT_FOUND`, or `CONFLICT` while it is written, or as `requireRight`, which is
   * asked when nothing is waited for any more. In the terminal's turn: behind a deletion of its last part another
   * one may begin that has the same id.
   */
  async remove(id: RecordingId, requireRight: () => void): Promise<void> {
    await this.#shelf.ready();
    await this.#turns.run(terminalOf(id), async () => {
      await this.#deps.requireHeld();
      requireRight();
      if (this.#shelf.isRunning(id)) {
        throw new RportError("CONFLICT", "This terminal is still recorded: end it first.");
      }
      const facts = this.#shelf.get(id);
      if (facts === undefined) throw noSuchRecording();
      await this.#shelf.remove(facts);
    });
  }

  /** The server stops: each recording is ended; a terminal that goes on has another part. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    const ending = [...this.#live.keys()].map((id) => this.#finish(id, { how: "server" }));
    await Promise.allSettled(ending);
    this.#bursts.close();
  }

  async #begin(terminal: RecordedTerminal): Promise<Live> {
    const { requireHeld, events } = this.#deps;
    try {
      await this.#shelf.ready();
      await requireHeld();
      return await this.#open(terminal);
    } catch (caught) {
      const failure = asFailure(caught);
      this.#failures += 1;
      events.failed(terminal, failure.message);
      this.#tell(terminal, failure);
      throw failure;
    }
  }

  async #open(terminal: RecordedTerminal): Promise<Live> {
    const { directory, auditKey, openFile, limits, clock, log } = this.#deps;
    const { terminalId } = terminal;
    const before = this.#shelf.lastOf(terminalId);
    const part = (before?.part ?? 0) + 1;
    const id = recordingIdSchema.parse(`${terminalId}.${part}`);
    const path = pathOf(directory, id);
    const prefix = newPrefix();
    const key = fileKey(auditKey, prefix, id);
    if (key === undefined) throw new Error("a new recording has no key");
    this.#shelf.begin(id, { accountId: terminal.owner, name: terminal.ownerName });
    let file: OpenRecording | undefined;
    try {
      file = await openFile(path);
      const recorder = await Recorder.begin({
        file,
        prefix,
        key,
        meta: { ...terminal, part, startedAtMs: clock.now() },
        heardTo: before?.outputTo ?? 0,
        maxBytes: limits.max("recording_bytes"),
        requireRoom: (bytes) => this.#shelf.grow(id, bytes),
        onFailed: guarded(loggedFault(log, "a recording that failed"), (failure) =>
          this.#failed(terminal, failure),
        ),
        clock,
      });
      const live = { id, path, recorder };
      this.#live.set(terminalId, live);
      return live;
    } catch (caught) {
      this.#shelf.end(id, undefined);
      await file?.settle().catch(() => undefined);
      if (file !== undefined) await rm(path, { force: true }).catch(() => undefined);
      throw caught;
    }
  }

  #failed(terminal: RecordedTerminal, failure: RportError): void {
    const { limits, events, onFailed } = this.#deps;
    this.#failures += 1;
    if (failure.code === "TOO_LARGE") limits.bite("recording_bytes", { client: terminal.clientId });
    events.failed(terminal, failure.message);
    this.#tell(terminal, failure);
    onFailed(terminal.terminalId, failure);
  }

  /** Whoever comes back again and again causes a line each time. */
  #tell(terminal: RecordedTerminal, { code, cause }: RportError): void {
    const { clientId, terminalId, owner, ownerName } = terminal;
    const reason = cause === undefined ? code : errorText(cause);
    this.#bursts.note({
      log: this.#deps.log,
      level: "error",
      message: "a terminal cannot be recorded",
      user: { accountId: owner, name: ownerName },
      fields: { client: clientId, terminal: terminalId, user: ownerName, reason },
    });
  }

  async #finish(terminalId: TerminalId, end: RecordingEnd): Promise<void> {
    await this.#turns.run(terminalId, async () => {
      const live = this.#live.get(terminalId);
      if (live === undefined) return;
      const { id, path, recorder } = live;
      let facts: RecordingFacts | undefined;
      try {
        await recorder.end(end);
        const isMore = recorder.meta.part === 1 || !recorder.isEmpty;
        if (!(recorder.isAttached && isMore)) await rm(path, { force: true });
        else facts = await this.#factsOf(live);
      } finally {
        this.#live.delete(terminalId);
        this.#shelf.end(id, facts);
      }
      if (facts !== undefined) this.#deps.events.finished(facts);
    });
  }

  /** Of one that was just ended. Where its file cannot be read, it has its place and its part all the same. */
  async #factsOf({ id, path, recorder }: Live): Promise<RecordingFacts> {
    const { auditKey, clock, log } = this.#deps;
    try {
      return await lookAtRecording({ id, path }, auditKey);
    } catch (caught) {
      log.error("a recording cannot be read", { path, reason: errorText(caught) });
      const { bytes, outputTo, meta } = recorder;
      const known = { id, path, part: meta.part, bytes, outputTo, meta };
      return { ...known, fileAtMs: clock.now(), last: undefined, state: "unfinished" };
    }
  }
}

function terminalOf(id: RecordingId): TerminalId {
  return terminalIdSchema.parse(id.replace(/\.\d+$/, ""));
}

function noSuchRecording(): RportError {
  return new RportError("NOT_FOUND", "There is no such recording.");
}
