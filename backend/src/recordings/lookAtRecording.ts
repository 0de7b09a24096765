import type { KeyObject } from "node:crypto";
import { open } from "node:fs/promises";
import type { RecordingId } from "@rport/protocol/terminal/recording";
import { BlockReader } from "./blockReader.ts";
import { lastIn, metaIn, type RecordingFacts } from "./recordingFacts.ts";
import { AROUND_BYTES, END_CONTENT_BYTES } from "./sealedBlocks.ts";

const END_BYTES = END_CONTENT_BYTES + AROUND_BYTES;

/** Which file, of which recording. */
export interface RecordingPlace {
  readonly id: RecordingId;
  readonly path: string;
}

/**
 * What is known of a recording on disk from its begin and its end; of one without an end, all of its blocks
 * are opened, to know how far it came. Fails with the system's errors.
 */
export async function lookAtRecording(
  { id, path }: RecordingPlace,
  auditKey: KeyObject,
): Promise<RecordingFacts> {
  const file = await open(path, "r");
  try {
    const { size: bytes, mtimeMs } = await file.stat();
    const part = Number(id.split(".")[1]);
    const facts = { id, path, part, bytes, fileAtMs: Math.floor(mtimeMs) };
    const reader = await BlockReader.open(file, { id, auditKey });
    if (typeof reader !== "string") return { ...facts, ...(await look(reader, bytes)) };
    return { ...facts, ...(reader === "wrong" ? ALTERED : UNFINISHED) };
  } finally {
    await file.close();
  }
}

type Found = Pick<RecordingFacts, "meta" | "last" | "outputTo" | "state">;

const ALTERED: Found = { meta: undefined, last: undefined, outputTo: 0, state: "altered" };
/** The server was killed before it had written who records what. */
const UNFINISHED: Found = { ...ALTERED, state: "unfinished" };

async function look(reader: BlockReader, bytes: number): Promise<Found> {
  const header = await reader.next();
  if (header === "incomplete") return UNFINISHED;
  if (header === "wrong" || header.kind !== "header") return ALTERED;
  const meta = metaIn(header.content);
  if (meta === undefined) return ALTERED;
  const endAt = bytes - END_BYTES;
  const end = endAt < reader.place.offset ? undefined : await reader.endAt(endAt);
  if (end === undefined) return { meta, last: undefined, ...(await rest(reader, header.outputTo)) };
  const last = lastIn(end.content);
  const state = last?.offset === endAt ? "whole" : "altered";
  return { meta, last, outputTo: end.outputTo, state };
}

/** How far the blocks are good, and whether what is behind them can be what a crash left of a write. */
async function rest(
  reader: BlockReader,
  begin: number,
): Promise<Pick<RecordingFacts, "outputTo" | "state">> {
  let outputTo = begin;
  for (;;) {
    const block = await reader.next();
    if (block === "incomplete") return { outputTo, state: "unfinished" };
    // An end has its place at the end of the file.
    if (block === "wrong" || block.kind === "end") return { outputTo, state: "altered" };
    outputTo = block.outputTo;
  }
}
