// Compresses a file in pieces, and keeps each piece: of an executable only the start and the end are
// new with each build, all between is Bun. Packed pieces one after the other are a packed file; every
// unpacker of these formats takes that.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { buildCache } from "./runtimes.mjs";

/** What stands before it in an executable changes with the bundle: its tables say how long that is. */
const HEAD_BYTES = 65_536;
/** Large enough to lose nothing, and small enough for several processors. */
const PIECE_BYTES = 50_331_648;
/** A piece that no build has used for so long is thrown away. */
const KEPT_DAYS = 14;
const DAY_MS = 86_400_000;

const usualFolder = join(buildCache, "pieces");

/** Where to cut a file of this length; `constant` bytes of it are the same in each build. */
export function cutsOf(length, constant) {
  const cuts = [0];
  if (constant > HEAD_BYTES) {
    for (let at = HEAD_BYTES; at < constant; at += PIECE_BYTES) cuts.push(at);
    cuts.push(constant);
  }
  return [...cuts, length];
}

/** Sends bytes through a program. */
export function through(program, args, bytes) {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    const parts = [];
    child.stdout.on("data", (part) => parts.push(part));
    child.once("error", failed);
    child.once("close", (code) => {
      if (code === 0) done(Buffer.concat(parts));
      else failed(new Error(`${program} ended with ${code}`));
    });
    // A program that ends early says why by its status.
    child.stdin.on("error", () => {});
    child.stdin.end(bytes);
  });
}

async function packPiece(encoder, folder, bytes) {
  const key = createHash("sha256").update(encoder.name).update("\0").update(bytes).digest("hex");
  const file = join(folder, key);
  if (existsSync(file)) {
    const now = new Date();
    utimesSync(file, now, now);
    return readFileSync(file);
  }
  const packed = await encoder.pack(bytes);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, packed);
  renameSync(`${file}.${process.pid}`, file);
  return packed;
}

/**
 * Packs a file; `constant` is how many of its bytes, after a short head, are the same in each build,
 * and `folder` where packed pieces are kept.
 *
 * @param {{ name: string, pack: (bytes: Buffer) => Promise<Buffer> }} encoder its name says all that
 *   its output depends on
 */
export async function packInPieces(encoder, bytes, { constant = 0, folder = usualFolder } = {}) {
  const cuts = cutsOf(bytes.length, Math.min(constant, bytes.length));
  const waiting = cuts.slice(0, -1).map((from, at) => ({ at, from, to: cuts[at + 1] }));
  const done = [];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      done[next.at] = await packPiece(encoder, folder, bytes.subarray(next.from, next.to));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return Buffer.concat(done);
}

/** Throws away the pieces that nothing has needed for long. */
export function forgetOldPieces(folder = usualFolder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (Date.now() - statSync(file).mtimeMs > KEPT_DAYS * DAY_MS) rmSync(file, { force: true });
  }
}
