import type { KeyObject } from "node:crypto";
import { type Head, isTorn, openEntry, type SealedEntry, START, whyNotNext } from "./chain.ts";
import type { Damage } from "./scan.ts";
import { type Line, linesOf, listSegments, type Segment } from "./segments.ts";

/** What the verification of a log found. */
export type Verdict =
  | {
      readonly kind: "ok";
      readonly segments: number;
      readonly firstSeq: number;
      readonly head: Head;
      /** Entries that a full disk did not take, as the log itself says. */
      readonly lost: number;
      /** Whether the log ends in a piece of a line: a write under way, or what a crash left. */
      readonly isTorn: boolean;
    }
  | ({ readonly kind: "broken" } & Damage);

/** What is verified, and against what. */
export interface VerifyLogDeps {
  readonly directory: string;
  readonly key: KeyObject;
  /**
   * An entry that somebody noted elsewhere. It also stands for removed segments before it, and says
   * that somebody knows of the damage that the log itself tells of before it.
   */
  readonly noted?: Head | undefined;
  /** The last entry that the index knows; read before the log, which may grow meanwhile. */
  readonly indexed?: Head | undefined;
}

/**
 * Reads a whole log: every seal, and every entry in its place, across segments. Only reads, so it
 * may run beside a backend. Fails with the system's errors.
 */
export async function verifyLog(deps: VerifyLogDeps): Promise<Verdict> {
  const segments = await listSegments(deps.directory);
  const walk = new Walk(deps);
  for (const [index, segment] of segments.entries()) {
    const isNewest = index === segments.length - 1;
    for await (const line of linesOf(segment)) {
      const what = walk.step(line, isNewest);
      if (what !== undefined) return broken(segment, line.number, what);
    }
  }
  const last = segments.at(-1) ?? { number: 0, path: deps.directory };
  const what = walk.whyNotEnd();
  if (what !== undefined) return broken(last, walk.lines, what);
  return { kind: "ok", segments: segments.length, ...walk.found };
}

function broken({ path }: Segment, line: number, what: string): Verdict {
  return { kind: "broken", path, line, what };
}

/** Goes through a log line by line. */
class Walk {
  readonly #deps: VerifyLogDeps;
  #head: Head | undefined;
  #firstSeq = 0;
  #lost = 0;
  #isTorn = false;
  /** The number of the line that was read last. */
  lines = 0;

  constructor(deps: VerifyLogDeps) {
    this.#deps = deps;
  }

  get found() {
    const head = this.#head ?? START;
    return { head, firstSeq: this.#firstSeq, lost: this.#lost, isTorn: this.#isTorn };
  }

  /** Takes the next line; answers with what is wrong with it, in half a sentence. */
  step(line: Line, isNewest: boolean): string | undefined {
    this.lines = line.number;
    if (!line.isWhole) {
      this.#isTorn = isNewest && isTorn(line.bytes);
      return this.#isTorn ? undefined : "the line has no proper end";
    }
    const opened = openEntry(line.bytes, this.#deps.key);
    if (opened.kind === "wrong") return opened.what;
    return this.#whyNot(opened) ?? this.#take(opened);
  }

  /** What is wrong with the log as a whole, once every line was taken. */
  whyNotEnd(): string | undefined {
    const { noted, indexed } = this.#deps;
    if (this.#head === undefined) return "there is no entry";
    const { seq } = this.#head;
    if (seq < (noted?.seq ?? 0))
      return `the log ends at seq ${seq}, but seq ${noted?.seq} was noted`;
    if (seq >= (indexed?.seq ?? 0)) return undefined;
    return `the log ends at seq ${seq}, but the index knows seq ${indexed?.seq}: entries were cut off`;
  }

  #whyNot(entry: SealedEntry): string | undefined {
    const { noted, indexed } = this.#deps;
    const isBreak = entry.body.action === "break";
    const why = isBreak ? this.#whyBroken(entry) : whyNotNext(this.#before(entry), entry);
    if (why !== undefined) return why;
    if (entry.seq === noted?.seq && entry.hash !== noted.hash) {
      return "the entry is not the noted one";
    }
    const isOther = entry.seq === indexed?.seq && entry.hash !== indexed.hash;
    return isOther ? "the entry is not the one that the index knows" : undefined;
  }

  /** A break may leave out seqs, whose entries are gone, and may come first; nothing else. */
  #whyBroken({ seq, body }: SealedEntry): string | undefined {
    const isKnown = seq <= (this.#deps.noted?.seq ?? 0);
    const { what } = body.response;
    if (!isKnown) return `the server found damage at a start, and went on here: ${what}`;
    const { seq: before, hash } = this.#head ?? { seq: 0, hash: body.prev };
    return seq > before && hash === body.prev ? undefined : "the entry is in the wrong place";
  }

  /** A noted entry takes the place of the segments that were moved away. */
  #before({ seq }: SealedEntry): Head {
    if (this.#head !== undefined) return this.#head;
    const { noted } = this.#deps;
    return noted !== undefined && noted.seq === seq - 1 ? noted : START;
  }

  #take({ seq, hash, body }: SealedEntry): undefined {
    if (this.#head === undefined) this.#firstSeq = seq;
    this.#head = { seq, hash };
    const { lost } = body.response;
    if (body.action === "gap" && typeof lost === "number") this.#lost += lost;
  }
}
