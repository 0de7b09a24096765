import type { KeyObject } from "node:crypto";
import { type Head, START } from "./chain.ts";
import type { Facts } from "./facts.ts";
import { type Damage, type Scan, scanSegment } from "./scan.ts";
import { listSegments } from "./segments.ts";

/** Where a log goes on. */
export interface Resumption {
  /** What the next entry continues. */
  readonly head: Head;
  /** The newest segment; 0: there is none. */
  readonly number: number;
  readonly month: string | undefined;
  /** Bytes of it that are good. */
  readonly length: number;
  /** Bytes behind them, left by a crash, which have to be cut off. */
  readonly torn: number;
  /** Why the log cannot simply go on: facts for the entry that says so, in a new segment. */
  readonly trouble: Facts | undefined;
}

/**
 * Finds the end of a log, checking its newest segment and what the index remembers of the end:
 * `indexed` is never ahead of the files unless somebody removed entries.
 */
export async function resume(
  directory: string,
  key: KeyObject,
  indexed: Head,
): Promise<Resumption> {
  const segments = await listSegments(directory);
  let newest: Scan | undefined;
  let last: Scan | undefined;
  for (const segment of segments.toReversed()) {
    last = await scanSegment(segment, key);
    newest ??= last;
    if (last.head !== undefined || last.damage !== undefined) break;
  }
  const found: Head = last?.head ?? START;
  const trouble = last?.damage === undefined ? missing(found, indexed) : damaged(last.damage);
  return {
    head: { seq: Math.max(found.seq, trouble === undefined ? 0 : indexed.seq), hash: found.hash },
    number: segments.at(-1)?.number ?? 0,
    month: newest?.month,
    length: newest?.length ?? 0,
    torn: newest?.torn ?? 0,
    trouble,
  };
}

function damaged({ path, line, what }: Damage): Facts {
  return { what, segment: path.replace(/^.*[/\\]/, ""), line };
}

function missing(found: Head, indexed: Head): Facts | undefined {
  if (indexed.seq < found.seq || indexed.hash === found.hash) return undefined;
  const what =
    indexed.seq > found.seq
      ? `the log was cut off: it ended at seq ${indexed.seq}, and ends at ${found.seq} now`
      : `the entry seq ${found.seq} is not the one that was written`;
  return { what };
}
