// The signature that macOS wants of every program, by nobody in particular ("ad hoc"): hashes of its
// pages. Bun leaves that of its maker in a program for Intel, where it fits no longer.
import { createHash } from "node:crypto";
import { readMachO } from "./machO.mjs";

const PAGE_BYTES = 4_096;
const HASH_BYTES = 32;
/** In front of the identifier in a code directory of this version. */
const DIRECTORY_BYTES = 88;
const SUPER_BLOB_BYTES = 20;
const SUPER_BLOB = 0xfade0cc0;
const DIRECTORY = 0xfade0c02;
const VERSION = 0x20400;
/** Ad hoc, and by a linker: so another tool may sign it anew. */
const FLAGS = 0x20002;
const SHA_256 = 2;
const MAIN_PROGRAM = 1n;

const roundUp = (size, unit) => Math.ceil(size / unit) * unit;

function writeWords(bytes, at, words) {
  for (const [n, word] of words.entries()) bytes.writeUInt32BE(word, at + 4 * n);
}

/** The hashes of the pages, and what they are about. */
function codeDirectory(code, identifier, { offset, size }) {
  const name = Buffer.from(`${identifier}\0`);
  const pages = Math.ceil(code.length / PAGE_BYTES);
  const hashesAt = DIRECTORY_BYTES + name.length;
  const directory = Buffer.alloc(hashesAt + pages * HASH_BYTES);
  writeWords(directory, 0, [
    DIRECTORY,
    directory.length,
    VERSION,
    FLAGS,
    hashesAt,
    DIRECTORY_BYTES,
  ]);
  writeWords(directory, 24, [0, pages, code.length]);
  directory.set([HASH_BYTES, SHA_256, 0, Math.log2(PAGE_BYTES)], 36);
  directory.writeBigUInt64BE(offset, 64);
  directory.writeBigUInt64BE(size, 72);
  directory.writeBigUInt64BE(MAIN_PROGRAM, 80);
  name.copy(directory, DIRECTORY_BYTES);
  for (let page = 0; page < pages; page += 1) {
    const content = code.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    createHash("sha256")
      .update(content)
      .digest()
      .copy(directory, hashesAt + page * HASH_BYTES);
  }
  return directory;
}

/** How long the signature of so much code is, in whole units of its place. */
function signatureBytes(codeBytes, identifier) {
  const pages = Math.ceil(codeBytes / PAGE_BYTES);
  const name = Buffer.byteLength(identifier) + 1;
  return roundUp(SUPER_BLOB_BYTES + DIRECTORY_BYTES + name + pages * HASH_BYTES, 16);
}

/** Says in the load commands where the signature is, and how far the last segment goes with it. */
function place(program, { isArm, linkedit, signature }, from) {
  const size = program.length - from;
  program.writeUInt32LE(from, signature + 8);
  program.writeUInt32LE(size, signature + 12);
  const fileSize = from + size - Number(program.readBigUInt64LE(linkedit + 40));
  program.writeBigUInt64LE(BigInt(fileSize), linkedit + 48);
  program.writeBigUInt64LE(BigInt(roundUp(fileSize, isArm ? 0x4000 : 0x1000)), linkedit + 32);
}

/** A program for macOS, given its bytes, with a signature that fits them instead of the one it has. */
export function signedAdHoc(bytes, identifier) {
  const parts = readMachO(bytes);
  const code = bytes.subarray(0, bytes.readUInt32LE(parts.signature + 8));
  const from = roundUp(code.length, 16);
  const program = Buffer.alloc(from + signatureBytes(from, identifier));
  code.copy(program);
  place(program, parts, from);
  const directory = codeDirectory(program.subarray(0, from), identifier, parts.text);
  const length = SUPER_BLOB_BYTES + directory.length;
  writeWords(program, from, [SUPER_BLOB, length, 1, 0, SUPER_BLOB_BYTES]);
  directory.copy(program, from + SUPER_BLOB_BYTES);
  return program;
}
