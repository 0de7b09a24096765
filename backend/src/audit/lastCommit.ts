import type { KeyObject } from "node:crypto";
import { open } from "node:fs/promises";
import { LINE_MAX_BYTES, openEntry } from "./chain.ts";
import { listSegments, type Segment } from "./segments.ts";

/** Holds the last whole line of a segment, and what a crash left behind it. */
const TAIL_BYTES = 2 * LINE_MAX_BYTES + 2;

/**
 * The number of the last commit of the records that the log knows of, from its last genuine entry
 * that names one; 0: none does. Reads only the ends of the files.
 */
export async function lastCommit(directory: string, key: KeyObject): Promise<number> {
  for (const segment of (await listSegments(directory)).reverse()) {
    const commit = await lastCommitIn(segment, key);
    if (commit !== undefined) return commit;
  }
  return 0;
}

async function lastCommitIn(segment: Segment, key: KeyObject): Promise<number | undefined> {
  const tail = (await tailOf(segment)).toString("latin1").split("\n");
  for (const line of tail.reverse()) {
    const opened = openEntry(Buffer.from(line, "latin1"), key);
    if (opened.kind === "entry" && opened.body.commit !== undefined) return opened.body.commit;
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
