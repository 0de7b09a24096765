import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, syncDirectory } from "../store/files/durableFile.ts";
import { LINE_MAX_BYTES } from "./chain.ts";

const NAME = /^audit-([1-9][0-9]{0,8})\.ndjson$/;
const NEW_LINE = 0x0a;

/** One file of the log. */
export interface Segment {
  /** Counts from 1. */
  readonly number: number;
  readonly path: string;
}

/** A piece of a segment. `isWhole`: a line end follows it. */
export interface Line {
  /** Counts from 1. */
  readonly number: number;
  readonly bytes: Buffer;
  readonly isWhole: boolean;
  /** Where it begins in the file. */
  readonly offset: number;
}

/** A segment that is written to. Lengths in bytes. */
export interface OpenSegment {
  /** Writes all of `bytes` at `offset`. May fail half-way. */
  write(bytes: Buffer, offset: number): Promise<void>;
  /** Resolves when what was written would survive a power cut. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a segment for writing; `isNew`: it must not exist yet. */
export type OpenSegmentFile = (path: string, isNew: boolean) => Promise<OpenSegment>;

/** The segment `number` of the log in `directory`. */
export function segmentOf(directory: string, number: number): Segment {
  return { number, path: join(directory, `audit-${number}.ndjson`) };
}

/** The segments in a directory, oldest first; none when the directory is missing. */
export async function listSegments(directory: string): Promise<Segment[]> {
  const names = await readdir(directory).catch((caught: unknown) => {
    if (codeOf(caught) === "ENOENT") return [];
    throw caught;
  });
  const numbers = names.flatMap((name) => {
    const [, digits] = NAME.exec(name) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
  return numbers.sort((one, other) => one - other).map((one) => segmentOf(directory, one));
}

/** Makes the directory, which only its owner enters. */
export async function makeAuditDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
}

/** The lines of a segment. One that is longer than any of ours ends the reading, as not whole. */
export async function* linesOf({ path }: Segment): AsyncGenerator<Line> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  let number = 1;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 << 10 })) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    let from = 0;
    for (let end = bytes.indexOf(NEW_LINE); end >= 0; end = bytes.indexOf(NEW_LINE, from)) {
      yield { number, bytes: bytes.subarray(from, end), isWhole: true, offset: offset + from };
      number += 1;
      from = end + 1;
    }
    rest = bytes.subarray(from);
    offset += from;
    if (rest.length > LINE_MAX_BYTES) break;
  }
  if (rest.length > 0) yield { number, bytes: rest, isWhole: false, offset };
}

/** Opens a segment on the disk, which only its owner reads. */
export const openSegmentFile: OpenSegmentFile = async (path, isNew) => {
  const file = await open(path, isNew ? "wx+" : "r+", 0o600);
  if (isNew) await syncDirectory(join(path, ".."));
  return {
    write: (bytes, offset) => writeAll(file, bytes, offset),
    sync: () => file.datasync(),
    truncate: (length) => file.truncate(length),
    close: () => file.close(),
  };
};

/** A nearly full disk takes a part of a write and says so only by its count. */
async function writeAll(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}
