import {
  TERMINAL,
  type TerminalSignal,
  type TerminalSize,
  terminalSignalSchema,
} from "./terminal.ts";

/**
 * Frames of a terminal, on the channel between backend and agent and in the binary messages between
 * editor and backend alike: one byte kind, three bytes length, content. Numbers are big-endian;
 * offsets have six bytes and count all bytes of that direction since the terminal began.
 */
const KINDS = {
  /** First of an editor: a `ViewerOpening` as JSON. */
  open: 1,
  /** Offset, bytes for the program: one at least, here and below. */
  input: 2,
  /** Columns, rows: two bytes each. */
  resize: 3,
  /** Offset: all output before it was shown. */
  outputTaken: 4,
  /** Offset, bytes: input that was sent before and not read yet is thrown away for it (Ctrl+C in a long paste). */
  urgent: 5,
  /** The viewer wants no more of this terminal: it ends. Closing the connection leaves it there. */
  close: 6,
  /** A name of `terminalSignalSchema`. */
  signal: 7,
  /** First of a host: `Attached` as JSON. */
  attached: 16,
  /** Offset, bytes of the program. */
  output: 17,
  /** Offset: all input before it was given to the program, or thrown away. */
  inputTaken: 18,
  /** Last of a host: a `TerminalEnd` as JSON. */
  ended: 19,
} as const;

/** What a frame says. JSON is not parsed here: whoever it is for has the schema. */
export type Frame =
  | { readonly kind: "open" | "attached" | "ended"; readonly json: Buffer }
  | {
      readonly kind: "input" | "urgent" | "output";
      readonly offset: number;
      readonly bytes: Buffer;
    }
  | { readonly kind: "outputTaken" | "inputTaken"; readonly offset: number }
  | ({ readonly kind: "resize" } & TerminalSize)
  | { readonly kind: "signal"; readonly signal: TerminalSignal }
  | { readonly kind: "close" };

/** The kinds of frames. */
export type FrameKind = Frame["kind"];

/** What only viewers send. */
export const VIEWER_KINDS: ReadonlySet<FrameKind> = new Set([
  "open",
  "input",
  "resize",
  "outputTaken",
  "urgent",
  "close",
  "signal",
] as const);

const HEAD_BYTES = 4;
const OFFSET_BYTES = 6;
/** Most bytes of input or output in one frame. */
export const FRAME_DATA_BYTES = 32 << 10;
/** As many with which a frame is one packet of a channel, and no second one of a few bytes. */
export const PACKET_DATA_BYTES = FRAME_DATA_BYTES - HEAD_BYTES - OFFSET_BYTES;
const CONTENT_MAX = OFFSET_BYTES + FRAME_DATA_BYTES;
const NAMES: ReadonlyMap<number, FrameKind> = new Map(
  Object.entries(KINDS).map(([name, code]) => [code, name as FrameKind]),
);
const SIGNALS: ReadonlyMap<string, TerminalSignal> = new Map(
  terminalSignalSchema.options.map((name) => [name, name]),
);
/** Longest content of the kinds that carry no bytes of a terminal. */
const SMALL_MAX: Partial<Record<FrameKind, number>> = {
  open: TERMINAL.openingBytes,
  attached: TERMINAL.openingBytes,
  ended: TERMINAL.openingBytes,
};

/** Bytes that are no frame. */
export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FrameError";
  }
}

/** A frame as bytes. Throws a `FrameError` when its content is longer than a frame may be. */
export function encodeFrame(frame: Frame): Buffer {
  const content = contentOf(frame);
  const length = content.reduce((bytes, piece) => bytes + piece.length, 0);
  if (length > maxOf(frame.kind)) throw new FrameError(`too long a frame: ${frame.kind}`);
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt8(KINDS[frame.kind], 0);
  head.writeUIntBE(length, 1, 3);
  return Buffer.concat([head, ...content], HEAD_BYTES + length);
}

/**
 * Frames out of a stream that comes in pieces of any length. A frame that is not complete is copied
 * into one block, so many small pieces cost no more than a large one. The contents of other frames
 * are parts of the piece: whoever keeps them copies.
 */
export class FrameReader {
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  /** The content that is not complete, as long as it will be. */
  #content: Buffer | undefined;
  #contentBytes = 0;

  /** Bytes that are held for a frame that is not complete. */
  get heldBytes(): number {
    return this.#headBytes + (this.#content?.length ?? 0);
  }

  /** The frames that are complete with this piece. Throws a `FrameError`; nothing can be read after it. */
  read(piece: Buffer): Frame[] {
    const frames: Frame[] = [];
    let rest = piece;
    while (rest.length > 0) {
      if (this.#headBytes < HEAD_BYTES) rest = this.#readHead(rest);
      if (this.#headBytes === HEAD_BYTES) rest = this.#readContent(rest, frames);
    }
    return frames;
  }

  #readHead(piece: Buffer): Buffer {
    const copied = piece.copy(this.#head, this.#headBytes);
    this.#headBytes += copied;
    return piece.subarray(copied);
  }

  #readContent(piece: Buffer, frames: Frame[]): Buffer {
    const kind = nameAt(this.#head);
    const length = this.#head.readUIntBE(1, 3);
    if (length > maxOf(kind)) throw new FrameError(`too long a frame: ${kind}`);
    if (this.#content === undefined && piece.length >= length) {
      this.#headBytes = 0;
      frames.push(decode(kind, piece.subarray(0, length)));
      return piece.subarray(length);
    }
    this.#content ??= Buffer.alloc(length);
    const copied = piece.copy(this.#content, this.#contentBytes);
    this.#contentBytes += copied;
    if (this.#contentBytes === length) {
      frames.push(decode(kind, this.#content));
      this.#forget();
    }
    return piece.subarray(copied);
  }

  #forget(): void {
    this.#headBytes = 0;
    this.#content = undefined;
    this.#contentBytes = 0;
  }
}

function nameAt(head: Buffer): FrameKind {
  const code = head.readUInt8(0);
  const name = NAMES.get(code);
  if (name === undefined) throw new FrameError(`no frame has the kind ${code}`);
  return name;
}

function maxOf(kind: FrameKind): number {
  return SMALL_MAX[kind] ?? CONTENT_MAX;
}

/** The content, in pieces: the bytes of a terminal are not copied for it. */
function contentOf(frame: Frame): readonly Buffer[] {
  switch (frame.kind) {
    case "open":
    case "attached":
    case "ended":
      return [frame.json];
    case "input":
    case "urgent":
    case "output":
      return [offsetBytes(frame.offset), frame.bytes];
    case "outputTaken":
    case "inputTaken":
      return [offsetBytes(frame.offset)];
    case "resize": {
      const size = Buffer.allocUnsafe(4);
      size.writeUInt16BE(frame.cols, 0);
      size.writeUInt16BE(frame.rows, 2);
      return [size];
    }
    case "signal":
      return [Buffer.from(frame.signal, "latin1")];
    case "close":
      return [];
  }
}

function offsetBytes(offset: number): Buffer {
  const bytes = Buffer.allocUnsafe(OFFSET_BYTES);
  bytes.writeUIntBE(offset, 0, OFFSET_BYTES);
  return bytes;
}

function decode(kind: FrameKind, content: Buffer): Frame {
  switch (kind) {
    case "open":
    case "attached":
    case "ended":
      return { kind, json: content };
    case "input":
    case "urgent":
    case "output":
      return { kind, offset: offsetIn(content), bytes: bytesIn(content) };
    case "outputTaken":
    case "inputTaken":
      requireLength(content, OFFSET_BYTES);
      return { kind, offset: offsetIn(content) };
    case "resize":
      return resized(content);
    case "signal":
      return { kind, signal: signalIn(content) };
    case "close":
      requireLength(content, 0);
      return { kind };
  }
}

function offsetIn(content: Buffer): number {
  if (content.length < OFFSET_BYTES) throw new FrameError("a frame is too short");
  return content.readUIntBE(0, OFFSET_BYTES);
}

/** Frames without bytes say nothing, and any number of them would fit into what is allowed to be on the way. */
function bytesIn(content: Buffer): Buffer {
  if (content.length === OFFSET_BYTES) throw new FrameError("a frame has no bytes");
  return content.subarray(OFFSET_BYTES);
}

function resized(content: Buffer): Frame {
  requireLength(content, 4);
  const cols = content.readUInt16BE(0);
  const rows = content.readUInt16BE(2);
  const isSize = [cols, rows].every((count) => count >= 1 && count <= TERMINAL.sizeMax);
  if (!isSize) throw new FrameError("no terminal has this size");
  return { kind: "resize", cols, rows };
}

function signalIn(content: Buffer): TerminalSignal {
  const signal = SIGNALS.get(content.toString("latin1"));
  if (signal === undefined) throw new FrameError("no terminal takes this signal");
  return signal;
}

function requireLength({ length }: Buffer, expected: number): void {
  if (length !== expected) throw new FrameError("a frame has the wrong length");
}
