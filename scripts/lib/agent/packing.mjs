// The agent's files as they travel: compressed, beside the files themselves.
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { hasProgram } from "../debian.mjs";
import { packInPieces, through } from "./pieces.mjs";
import { runtimeOf } from "./runtimes.mjs";

const ZSTD_LEVEL = 19;
/** What an unpacker needs of memory. */
const XZ_DICTIONARY = "32MiB";

const gzipEncoder = {
  encoding: "gzip",
  suffix: "gz",
  name: "gzip 9",
  pack: (bytes) => promisify(zlib.gzip)(bytes, { level: 9 }),
};

const zstdEncoder = {
  encoding: "zstd",
  suffix: "zst",
  name: `zstd ${ZSTD_LEVEL}`,
  pack: (bytes) =>
    promisify(zlib.zstdCompress)(bytes, {
      params: {
        [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
        [zlib.constants.ZSTD_c_checksumFlag]: 1,
      },
    }),
};

/** Machine code for x86 packs better when its jumps are told apart; old unpackers know that of x86. */
function xzEncoder(target) {
  const filters = [
    ...(target.includes("x64") ? ["--x86"] : []),
    `--lzma2=preset=6,dict=${XZ_DICTIONARY}`,
  ];
  const args = [
    "--compress",
    "--stdout",
    "--format=xz",
    "--check=crc32",
    "--threads=1",
    ...filters,
  ];
  return {
    encoding: "xz",
    suffix: "xz",
    name: args.join(" "),
    pack: (bytes) => through("xz", args, bytes),
  };
}

/**
 * What can be unpacked on a target without more than it has: gzip is everywhere, a Mac and Windows have
 * nothing else. On Linux xz is smaller than zstd, and as common.
 */
function encodersOf(target) {
  if (!target.startsWith("linux-")) return [gzipEncoder];
  if (hasProgram("xz")) return [xzEncoder(target), gzipEncoder];
  // A first start runs on whatever Node is there, and the older ones have no zstd.
  return zlib.zstdCompress === undefined ? [gzipEncoder] : [zstdEncoder, gzipEncoder];
}

/** So much at the end of Bun is written over, or says where the bundle is. */
const TAIL_BYTES = 262_144;

/** How much of an executable is Bun; the .NET of Windows takes a gzip file of one piece only. */
function constantOf(target) {
  const runtime = runtimeOf(target);
  if (runtime === undefined || target.startsWith("windows-")) return 0;
  return statSync(runtime).size - TAIL_BYTES;
}

/**
 * Writes the compressed copies of a file of a release beside it.
 *
 * @returns {Promise<{ encoding: string, name: string, size: number, sha256: string }[]>} the smallest
 *   first
 */
export async function packFile(directory, target, name) {
  const bytes = readFileSync(join(directory, name));
  const packed = [];
  for (const encoder of encodersOf(target)) {
    const content = await packInPieces(encoder, bytes, { constant: constantOf(target) });
    const file = `${name}.${encoder.suffix}`;
    writeFileSync(join(directory, file), content);
    const sha256 = createHash("sha256").update(content).digest("hex");
    packed.push({ encoding: encoder.encoding, name: file, size: content.length, sha256 });
  }
  return packed.sort((one, other) => one.size - other.size);
}
