import { createHash } from "node:crypto";

/** What an embedded signature of a program for macOS says (`cs_blobs.h` of XNU). */
export interface CodeSignature {
  readonly isAdHoc: boolean;
  readonly identifier: string;
  readonly pages: number;
  /** How many of the pages have another hash than the signature says. */
  readonly wrong: number;
  /** Where the signature begins: all before it is signed. */
  readonly start: number;
}

const CODE_SIGNATURE = 0x1d;
const SUPER_BLOB = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
const AD_HOC = 0x2;

/** Reads the signature of a program and compares it with the program, as the kernel does page by page. */
export function readCodeSignature(program: Buffer): CodeSignature {
  const start = program.readUInt32LE(loadCommand(program, CODE_SIGNATURE) + 8);
  const directory = codeDirectory(program, start);
  const at = (offset: number) => directory.readUInt32BE(offset);
  const [flags, hashes, identifier, slots, limit] = [at(12), at(16), at(20), at(28), at(32)];
  const pageBytes = 1 << directory.readUInt8(39);
  const isWrong = (page: number) => {
    const end = Math.min((page + 1) * pageBytes, limit);
    const found = createHash("sha256")
      .update(program.subarray(page * pageBytes, end))
      .digest();
    return !found.equals(directory.subarray(hashes + page * 32, hashes + page * 32 + 32));
  };
  const name = directory.subarray(identifier, directory.indexOf(0, identifier));
  return {
    isAdHoc: (flags & AD_HOC) !== 0,
    identifier: name.toString(),
    pages: slots,
    wrong: Array.from({ length: slots }, (_, page) => page).filter(isWrong).length,
    start: limit === start ? start : -1,
  };
}

function loadCommand(program: Buffer, wanted: number): number {
  let at = 32;
  for (let left = program.readUInt32LE(16); left > 0; left--) {
    if (program.readUInt32LE(at) === wanted) return at;
    at += program.readUInt32LE(at + 4);
  }
  throw new Error("the program has no signature");
}

function codeDirectory(program: Buffer, start: number): Buffer {
  const blob = program.subarray(start);
  if (blob.readUInt32BE(0) !== SUPER_BLOB) throw new Error("there is no signature");
  for (let n = 0; n < blob.readUInt32BE(8); n++) {
    const directory = blob.subarray(blob.readUInt32BE(16 + n * 8));
    if (directory.readUInt32BE(0) === CODE_DIRECTORY) return directory;
  }
  throw new Error("the signature has no code directory");
}
