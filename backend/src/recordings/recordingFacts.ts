import { clientIdSchema } from "@rport/protocol/ids";
import {
  type RecordingEnd,
  type RecordingId,
  type RecordingState,
  recordingEndSchema,
} from "@rport/protocol/terminal/recording";
import { terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { z } from "zod";
import { END_CONTENT_BYTES } from "./sealedBlocks.ts";

/** The first block of a recording: who opened which terminal. */
const metaSchema = z.object({
  terminalId: terminalIdSchema,
  part: z.number(),
  clientId: clientIdSchema,
  hostname: z.string(),
  /** `Sharer.accountId` of whoever opened the terminal. */
  owner: z.string(),
  ownerName: z.string(),
  /** Of the host. */
  account: z.string(),
  startedAtMs: z.number(),
  size: z.object({ cols: z.number(), rows: z.number() }),
  term: z.string(),
});

/** Who opened which terminal, and when its recording begins. */
export type RecordingMeta = Readonly<z.infer<typeof metaSchema>>;

const endSchema = z.object({
  end: recordingEndSchema,
  endedAtMs: z.number(),
  /** Where the block of the end begins: so many bytes are before it. */
  offset: z.number(),
});

/** The last block of a recording. */
export type RecordingLast = Readonly<z.infer<typeof endSchema>>;

/** What is known of a recording that is on disk. */
export interface RecordingFacts {
  readonly id: RecordingId;
  readonly path: string;
  readonly part: number;
  readonly bytes: number;
  readonly state: RecordingState;
  /** Undefined: its begin cannot be read. */
  readonly meta: RecordingMeta | undefined;
  /** Undefined: it has no end, or none that can be read. */
  readonly last: { readonly end: RecordingEnd; readonly endedAtMs: number } | undefined;
  /** So many bytes of the terminal's output are in it, or in parts before it. */
  readonly outputTo: number;
  /** When the file was written last, since the epoch. */
  readonly fileAtMs: number;
}

/** The content of the first block. */
export function metaContent(meta: RecordingMeta): Buffer {
  return Buffer.from(JSON.stringify(meta));
}

/** The content of the last block, always as long: what it says has fewer bytes, with any signal. */
export function endContent(last: RecordingLast): Buffer {
  const content = Buffer.alloc(END_CONTENT_BYTES, " ");
  content.write(JSON.stringify(last));
  return content;
}

/** Reads the content of a first block; undefined: it has none. */
export function metaIn(content: Buffer): RecordingMeta | undefined {
  return metaSchema.safeParse(parsed(content)).data;
}

/** Reads the content of a last block. */
export function lastIn(content: Buffer): RecordingLast | undefined {
  return endSchema.safeParse(parsed(content)).data;
}

function parsed(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString("utf8"));
  } catch {
    return undefined;
  }
}
