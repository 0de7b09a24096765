import { closeSync, openSync, readSync } from "node:fs";

/** SQLite's file formats: what comes before the pages of a write-ahead log, and before each page. */
const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const SALTS_AT = { header: 16, frame: 8 } as const;
const SALTS_BYTES = 8;
/** The type of a page that holds rows of a table. */
const LEAF = 0x0d;
/** Bytes of an integer in a row, by its type there; numbers that need more are not counted up to. */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6];

/** Where the number of the last commit is kept. */
export interface Counter {
  /** Of the database; its write-ahead log lies beside it. */
  readonly path: string;
  /** The page of the counter's only row, from 1. */
  readonly page: number;
  /** The number that SQLite finds in the two files together. */
  readonly commits: number;
}

/**
 * Whether a database and its write-ahead log are of the same time. SQLite puts the pages of one over
 * those of the other without asking, so that of an older copy and a newer log a mixture would come,
 * with old rows in it and the newest number. A log begins with the commit after the last one in the
 * main file, or earlier; and it never ends before the main file does.
 */
export function areOfSameTime({ path, page, commits }: Counter): boolean {
  const pageBytes = pageBytesOf(path);
  const main = countIn(bytesAt(path, (page - 1) * pageBytes, pageBytes));
  if (main === undefined) return true;
  const first = firstCountOf(`${path}-wal`, page, pageBytes) ?? main;
  // What SQLite did not find, either, is the rest of an earlier log.
  const isGap = first > main + 1 && first <= commits;
  return commits >= main && !isGap;
}

function pageBytesOf(path: string): number {
  const [high = 0, low = 0] = bytesAt(path, 16, 2);
  // As the format has it, 1 stands for 65,536.
  return high * 256 + low === 1 ? 65_536 : high * 256 + low;
}

/** The number after the first commit in a write-ahead log. */
function firstCountOf(path: string, page: number, pageBytes: number): number | undefined {
  const salts = bytesAt(path, SALTS_AT.header, SALTS_BYTES);
  let count: number | undefined;
  for (let at = LOG_HEADER_BYTES; ; at += FRAME_HEADER_BYTES + pageBytes) {
    const head = bytesAt(path, at, FRAME_HEADER_BYTES);
    const isWhole = head.length === FRAME_HEADER_BYTES && salts.length === SALTS_BYTES;
    if (!isWhole || !head.subarray(SALTS_AT.frame).subarray(0, SALTS_BYTES).equals(salts)) {
      return undefined;
    }
    if (head.readUInt32BE(0) === page) {
      count = countIn(bytesAt(path, at + FRAME_HEADER_BYTES, pageBytes));
    }
    const isCommit = head.readUInt32BE(4) > 0;
    if (isCommit) return count;
  }
}

/** The only integer in the only row of a page; undefined: that is not what is there. */
function countIn(page: Buffer): number | undefined {
  if (page.length < 10 || page[0] !== LEAF || page.readUInt16BE(3) !== 1) return undefined;
  const row = page.subarray(page.readUInt16BE(8));
  const [, , headerBytes, type = 0] = row;
  if (headerBytes !== 2) return undefined;
  // The format has types of their own for these two.
  if (type === 8 || type === 9) return type - 8;
  const bytes = INTEGER_BYTES[type] ?? 0;
  return bytes === 0 || row.length < 4 + bytes ? undefined : row.readIntBE(4, bytes);
}

/** So many bytes of a file, or as many as there are; none when there is no file. */
function bytesAt(path: string, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openIfThere(path);
  if (file === undefined) return bytes.subarray(0, 0);
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, length, at));
  } finally {
    closeSync(file);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}
