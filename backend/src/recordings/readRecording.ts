import type { KeyObject } from "node:crypto";
import { open } from "node:fs/promises";
import { RportError } from "@rport/protocol/errors";
import { castEvent, castHeader } from "@rport/protocol/terminal/asciicast";
import type { RecordingPiece, RecordingState } from "@rport/protocol/terminal/recording";
import { type BlockPlace, BlockReader } from "./blockReader.ts";
import type { RecordingPlace } from "./lookAtRecording.ts";
import { lastIn, metaIn, type RecordingMeta } from "./recordingFacts.ts";
import { type OpenedBlock, PREFIX_BYTES } from "./sealedBlocks.ts";

/** A piece ends with the block in which it has come to this. */
const PIECE_CHARACTERS = 512 << 10;

/** What somebody reads, from where on. */
export interface PieceQuestion extends RecordingPlace {
  readonly auditKey: KeyObject;
  /** Of an answer before; undefined: from the begin. */
  readonly from: string | undefined;
  /** Whether it is still written. */
  readonly isRunning: boolean;
}

/**
 * Reads a piece of a recording as asciicast, block by block, each with its seal. Where something was altered
 * the text ends with a mark that says so, and so it does where the end is missing. A place within the file at which
 * no block begins cannot be told from one whose block was altered. Fails with `NOT_FOUND` when there is no
 * such file, `BAD_REQUEST` for a place outside of it.
 */
export async function readPiece(question: PieceQuestion): Promise<RecordingPiece> {
  const { path, from, isRunning } = question;
  const file = await open(path, "r").catch((cause: unknown) => {
    throw new RportError("NOT_FOUND", "There is no such recording.", { cause });
  });
  try {
    const place = placeIn(from);
    if (place !== undefined && place.offset > (await file.stat()).size) throw noPlace();
    const reader = await BlockReader.open(file, question, place);
    if (typeof reader !== "string") return await pieceOf(reader, isRunning);
    const { state, mark } = atEnd(reader, isRunning);
    return { text: mark === undefined ? "" : markLine(mark, ""), next: null, state };
  } finally {
    await file.close();
  }
}

const ALTERED = "What follows was altered, or is not of this server: it is left out.";
const UNFINISHED =
  "The recording has no end: the server was killed while it was written, or it was cut off.";

/** What is known when nothing more can be read, and what the text says of it. */
interface Last {
  readonly state: RecordingState;
  readonly mark?: string;
}

async function pieceOf(reader: BlockReader, isRunning: boolean): Promise<RecordingPiece> {
  let text = "";
  while (text.length < PIECE_CHARACTERS) {
    const more = await moreOf(reader, isRunning);
    if (typeof more === "string") {
      text += more;
      continue;
    }
    const { state, mark } = more;
    const all = mark === undefined ? text : text + markLine(mark, text);
    return { text: all, next: null, state };
  }
  const { offset, number } = reader.place;
  return { text, next: `${offset}.${number}`, state: isRunning ? "running" : "unfinished" };
}

async function moreOf(reader: BlockReader, isRunning: boolean): Promise<string | Last> {
  const { offset } = reader.place;
  const block = await reader.next();
  if (typeof block === "string") return atEnd(block, isRunning);
  if (block.kind !== "end") return textOf(block) ?? atEnd("wrong", isRunning);
  const isLast = lastIn(block.content)?.offset === offset && !(await reader.hasMore());
  return isLast ? { state: "whole" } : atEnd("wrong", isRunning);
}

/** Where nothing more can be read. */
function atEnd(why: "incomplete" | "wrong", isRunning: boolean): Last {
  if (why === "wrong") return { state: "altered", mark: ALTERED };
  // The file ends here, perhaps in the middle of a block: what is there so far is good.
  return isRunning ? { state: "running" } : { state: "unfinished", mark: UNFINISHED };
}

/** Undefined: no block of this kind stands there. */
function textOf({ kind, number, content }: OpenedBlock): string | undefined {
  if ((number === 0) !== (kind === "header")) return undefined;
  if (kind === "events") return content.toString("utf8");
  const meta = metaIn(content);
  return meta && `${castHeader({ ...meta, title: titleOf(meta) })}\n`;
}

function titleOf({ account, hostname, clientId, ownerName }: RecordingMeta): string {
  return `${account}@${hostname || clientId} (${ownerName})`;
}

function placeIn(from: string | undefined): BlockPlace | undefined {
  if (from === undefined) return undefined;
  const [offset = 0, number = 0] = from.split(".").map(Number);
  if (number === 0 || offset <= PREFIX_BYTES || !Number.isSafeInteger(offset)) throw noPlace();
  return { offset, number };
}

function noPlace(): RportError {
  return new RportError("BAD_REQUEST", "No piece of this recording begins there.");
}

/** A mark behind these lines, at the time of the last one. */
function markLine(mark: string, before: string): string {
  const line = before.slice(before.lastIndexOf("\n", before.length - 2) + 1);
  const [, seconds = "0"] = /^\[([0-9.]+),/.exec(line) ?? [];
  return `${castEvent(Number(seconds) * 1_000, "m", mark)}\n`;
}
