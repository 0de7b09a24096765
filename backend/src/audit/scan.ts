import type { KeyObject } from "node:crypto";
import { type Head, isTorn, openEntry, type SealedEntry, whyNotNext } from "./chain.ts";
import { type Line, linesOf, listSegments, type Segment } from "./segments.ts";

/** Where a log is damaged, and in half a sentence how. */
export interface Damage {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

/** What is in one segment. */
export interface Scan {
  /** Its last genuine entry; undefined: there is none. */
  readonly head: Head | undefined;
  /** `YYYY-MM` of its first genuine entry. */
  readonly month: string | undefined;
  /** Bytes up to the end of its last whole line. */
  readonly length: number;
  /** Bytes behind that, which a crash left of a write. */
  readonly torn: number;
  /** The first place that is wrong in itself. */
  readonly damage: Damage | undefined;
}

/** Reads a segment through and checks it by itself; what comes before it is not looked at. */
export async function scanSegment(segment: Segment, key: KeyObject): Promise<Scan> {
  let head: SealedEntry | undefined;
  let month: string | undefined;
  let damage: Damage | undefined;
  let [length, torn] = [0, 0];
  for await (const line of linesOf(segment)) {
    const { entry, what, tornBytes } = judge(line, head, key);
    if (what !== undefined) damage ??= { path: segment.path, line: line.number, what };
    head = entry ?? head;
    month ??= entry?.body.at.slice(0, 7);
    torn += tornBytes;
    if (line.isWhole) length = line.offset + line.bytes.length + 1;
  }
  return { head, month, length, torn, damage };
}

/** The genuine entries after `seq`, in order, as far as the segments hold them. */
export async function* entriesAfter(
  directory: string,
  key: KeyObject,
  seq: number,
): AsyncGenerator<SealedEntry> {
  for (const segment of await segmentsFrom(directory, key, seq + 1)) {
    for await (const { bytes } of linesOf(segment)) {
      const opened = openEntry(bytes, key);
      if (opened.kind === "entry" && opened.seq > seq) yield opened;
    }
  }
}

function judge(
  line: Line,
  before: Head | undefined,
  key: KeyObject,
): { entry?: SealedEntry; what?: string | undefined; tornBytes: number } {
  if (!line.isWhole && isTorn(line.bytes)) return { tornBytes: line.bytes.length };
  if (!line.isWhole) return { what: "the line has no proper end", tornBytes: 0 };
  const opened = openEntry(line.bytes, key);
  if (opened.kind === "wrong") return { what: opened.what, tornBytes: 0 };
  const what = before === undefined ? undefined : whyNotNext(before, opened);
  return { entry: opened, what, tornBytes: 0 };
}

/** The segments from the one on in which the entry `seq` is. */
async function segmentsFrom(directory: string, key: KeyObject, seq: number): Promise<Segment[]> {
  const wanted: Segment[] = [];
  for (const segment of (await listSegments(directory)).reverse()) {
    wanted.unshift(segment);
    const first = await firstSeq(segment, key);
    if (first !== undefined && first <= seq) break;
  }
  return wanted;
}

async function firstSeq(segment: Segment, key: KeyObject): Promise<number | undefined> {
  for await (const { bytes } of linesOf(segment)) {
    const opened = openEntry(bytes, key);
    if (opened.kind === "entry") return opened.seq;
  }
  return undefined;
}
