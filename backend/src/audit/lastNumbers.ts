import type { KeyObject } from "node:crypto";
import { open } from "node:fs/promises";
import { type ChangeNumbers, NOTHING_COUNTED } from "../store/changeNumbers.ts";
import { LINE_MAX_BYTES, openEntry } from "./chain.ts";
import { listSegments, type Segment } from "./segments.ts";

/** Holds the last whole line of a segment, and what a crash left behind it. */
const TAIL_BYTES = 2 * LINE_MAX_BYTES + 2;

/**
 * The numbers of the last changes that the log knows of, from its last genuine entry that names
 * any; 0: none does. Reads only the ends of the files.
 */
export async function lastNumbers(directory: string, key: KeyObject): Promise<ChangeNumbers> {
  for (const segment of (await listSegments(directory)).reverse()) {
    const numbers = await lastNumbersIn(segment, key);
    if (numbers !== undefined) return numbers;
  }
  return NOTHING_COUNTED;
}

async function lastNumbersIn(segment: Segment, key: KeyObject): Promise<ChangeNumbers | undefined> {
  const tail = (await tailOf(segment)).toString("latin1").split("\n");
  for (const line of tail.reverse()) {
    const opened = openEntry(Buffer.from(line, "latin1"), key);
    if (opened.kind !== "entry") continue;
    const { commit, revision = 0 } = opened.body;
    // An entry of a program that did not number the document names a commit alone.
    if (commit !== undefined) return { commit, revision };
  }
  return undefined;
}

async function tailOf({ path }: Segment): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
