import { Duplex } from "node:stream";
import { CLOSE_CODES, RportError } from "@rport/protocol/errors";
import {
  encodeFrame,
  type Frame,
  FrameError,
  FrameReader,
  VIEWER_KINDS,
} from "@rport/protocol/terminal/frame";
import { guarded, type OnFault } from "@rport/protocol/wire/contain";
import type { HeldShare, Waiting } from "@rport/protocol/wire/held";
import type { WebSocket } from "ws";
import { EditorStream } from "../tunnels/editorStream.ts";
import { shortReason } from "../tunnels/editorTunnel.ts";
import type { Viewer } from "./terminalTable.ts";

/** About as much waits in one direction before the other side waits, too. */
const HIGH_WATER_BYTES = 64 << 10;
/** What a viewer says is read in pieces of this size, and of this time in a turn of the event loop. */
const PIECE_BYTES = 4 << 10;
const TURN_MS = 1;
/** 1000: the normal closure of RFC 6455. */
const ENDED = { code: 1000, reason: "" } as const;
/** Why the socket of a terminal ends that may be on its host still. */
export const CUT_OFF = {
  code: CLOSE_CODES.cutOff,
  reason: "The way to the host was cut; the terminal may be there still.",
} as const;
/** Why one ends of whose host more waits here than may. */
const FULL = {
  code: CLOSE_CODES.cutOff,
  reason: "Too much waits on the way to this host; the terminal may be there still.",
} as const;
/** Why the socket of a terminal ends that its owner shows in another place. */
export const TAKEN_OVER = {
  code: CLOSE_CODES.takenOver,
  reason: "This terminal is shown in another place now.",
} as const;

/** Who hears what a terminal's frames say. */
export interface FrameListener {
  /** A frame of the viewer, which is passed on when this returns; throws a `FrameError` to end all. */
  onViewer(frame: Frame): void;
  /** The same of the host; answers with what the viewer is told in its place. */
  onHost(frame: Frame): Frame;
  /**
   * Undefined, or a promise that resolves when what the host said may be shown; it rejects with an
   * `RportError`, whose sentence the viewer is told, when it may not. Whoever asks has to hear of that.
   */
  whenShowable(): Promise<void> | undefined;
  /** What the viewer is told when the host's side ends before the terminal has. */
  whyCut(): { readonly code: number; readonly reason: string };
}

/**
 * A viewer's WebSocket as the stream of its frames, to be joined to the channel of its host. Each
 * frame is read, checked and written anew on its way, in both directions: only what viewers say comes
 * out, only what hosts say goes in, and nothing that is half. Whoever does not read stops the other
 * side. It ends with close code 1000 once a terminal has ended, and else says why it did.
 */
export class TerminalStream extends Duplex implements Viewer {
  /** The JSON of the first frame; rejects with a `FrameError` when the first one is another, or none comes. */
  readonly opening: Promise<Buffer>;
  readonly #ws: WebSocket;
  readonly #inner: EditorStream;
  readonly #fromViewer = new FrameReader();
  readonly #fromHost = new FrameReader();
  readonly #opened = Promise.withResolvers<Buffer>();
  #isOpened = false;
  /** Nothing more of the viewer is wanted now. */
  #isFull = false;
  /** The next turn goes on reading. */
  #isResting = false;
  /** What the viewer said before it left and was not read; undefined: it is there. */
  #rest: Buffer | undefined;
  #hasEnded = false;
  #listener: FrameListener | undefined;
  /** Goes on reading in the next turn. */
  readonly #nextTurn: () => void;
  /** Where it is counted what waits here; undefined: nowhere yet. */
  #held: HeldShare | undefined;
  /** Others who talk to the same host need the room. */
  readonly #waiting: Waiting = { end: () => this.leave(FULL.code, FULL.reason) };

  constructor(ws: WebSocket, onFault: OnFault) {
    super({ readableHighWaterMark: HIGH_WATER_BYTES, writableHighWaterMark: HIGH_WATER_BYTES });
    this.#ws = ws;
    this.#inner = new EditorStream(ws);
    this.opening = this.#opened.promise;
    this.opening.catch(() => {});
    this.#inner.on("readable", () => this.#readOn());
    this.#nextTurn = guarded(onFault, () => {
      this.#isResting = false;
      this.#readOn();
    });
    this.#inner.once("end", () => this.#finish());
    this.#inner.once("close", () => this.#left());
    this.once("end", () => this.destroy());
  }

  /** Whether the viewer has left, also where what it said before that has not been read. */
  get hasLeft(): boolean {
    return this.destroyed || this.#rest !== undefined;
  }

  /** Tells this listener what comes from the host. */
  listen(listener: FrameListener): void {
    this.#listener = listener;
  }

  /** Counts what waits here, half frames included, among what waits for the host and its users. */
  countIn(held: HeldShare): void {
    this.#held = held;
    this.#count();
  }

  leave(code: number, reason: string): void {
    this.#ws.close(code, shortReason(reason));
    this.destroy();
  }

  override _read(): void {
    this.#isFull = false;
    this.#readOn();
    this.#count();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const out = this.#checked(chunk);
    this.#count();
    const isLast = this.#hasEnded;
    const sent = (): void => {
      done();
      if (isLast) this.destroy();
    };
    if (out === undefined || out.length === 0) {
      done();
      return;
    }
    const showable = this.#listener?.whenShowable();
    if (showable === undefined) this.#inner.write(out, sent);
    else this.#writeLater(showable, out, sent);
  }

  override _final(done: () => void): void {
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { code, reason } = this.#hasEnded ? ENDED : (this.#listener?.whyCut() ?? CUT_OFF);
    this.#ws.close(code, reason);
    this.#opened.reject(new FrameError("the viewer has left"));
    this.#inner.destroy();
    this.#held?.wait(this.#waiting, 0);
    done(error);
  }

  /** What may not be shown ends the stream; whoever writes is not to wait for it. */
  #writeLater(showable: Promise<void>, out: Buffer, sent: () => void): void {
    showable.then(
      () => (this.destroyed ? sent() : this.#inner.write(out, sent)),
      (error: unknown) => {
        this.leave(CLOSE_CODES.refused, RportError.from(error).message);
        sent();
      },
    );
  }

  #count(): void {
    if (this.#held === undefined || this.destroyed) return;
    const halves = this.#fromViewer.heldBytes + this.#fromHost.heldBytes;
    const unread = this.#inner.unread + (this.#rest?.length ?? 0);
    this.#held.wait(this.#waiting, halves + this.readableLength + unread);
  }

  /** What the viewer said before it left is passed on. */
  #left(): void {
    this.#opened.reject(new FrameError("the viewer has left"));
    if (!this.#isOpened || this.readableEnded) this.destroy();
    if (this.destroyed) return;
    this.#rest = this.#inner.takeUnread();
    this.#readOn();
  }

  /** Nothing more of the viewer comes. */
  #finish(): void {
    this.#isFull = true;
    this.push(null);
  }

  /** A message of the viewer may be all frames that say little: they are given no more than a moment of a turn. */
  #readOn(): void {
    if (this.#isResting) return;
    const endMs = performance.now() + TURN_MS;
    while (!this.#isFull && !this.#isResting && !this.destroyed) {
      const piece = this.#next();
      if (piece !== null) this.#read(piece);
      else if (this.#rest !== undefined) this.#finish();
      if (piece === null) return;
      this.#isResting = performance.now() >= endMs;
    }
    if (this.#isResting) setImmediate(this.#nextTurn);
  }

  /** Null: there is nothing now. */
  #next(): Buffer | null {
    const rest = this.#rest;
    if (rest === undefined) {
      return this.#inner.read(Math.min(this.#inner.readableLength, PIECE_BYTES));
    }
    this.#rest = rest.subarray(PIECE_BYTES);
    return rest.length === 0 ? null : rest.subarray(0, PIECE_BYTES);
  }

  #read(piece: Buffer): void {
    try {
      const frames = this.#fromViewer.read(piece).filter((frame) => !this.#isOpening(frame));
      for (const frame of frames) this.#listener?.onViewer(frame);
      this.#pass(frames);
      this.#count();
    } catch (error) {
      this.#refuse(error, "The terminal's viewer broke its rules");
    }
  }

  /** Frames that came together go on together: each piece becomes a packet, which costs more than its frames. */
  #pass(frames: readonly Frame[]): void {
    if (frames.length === 0) return;
    if (!this.push(Buffer.concat(frames.map(encodeFrame)))) this.#isFull = true;
  }

  #isOpening(frame: Frame): boolean {
    const isOpen = frame.kind === "open";
    if (!VIEWER_KINDS.has(frame.kind) || isOpen === this.#isOpened) {
      throw new FrameError(`a viewer may not say "${frame.kind}" here`);
    }
    if (!isOpen) return false;
    this.#isOpened = true;
    this.#opened.resolve(Buffer.from(frame.json));
    this.#isFull = true;
    return true;
  }

  /** What the host said, as far as it is complete; undefined: nothing more is passed on. */
  #checked(chunk: Buffer): Buffer | undefined {
    if (this.#hasEnded || this.destroyed) return undefined;
    try {
      const isBegun = this.#fromHost.heldBytes > 0;
      const frames = this.#fromHost.read(chunk);
      const passed: Frame[] = [];
      // Mostly it is whole frames, which are the same bytes when they are written anew.
      let isSame = !isBegun && this.#fromHost.heldBytes === 0;
      for (const frame of frames) {
        if (this.#hasEnded) break;
        const told = this.#listener?.onHost(requireHost(frame)) ?? frame;
        this.#hasEnded = frame.kind === "ended";
        isSame = isSame && told === frame;
        passed.push(told);
      }
      isSame = isSame && passed.length === frames.length;
      return isSame ? chunk : Buffer.concat(passed.map(encodeFrame));
    } catch (error) {
      this.#refuse(error, "The host broke the rules of terminals");
      return undefined;
    }
  }

  #refuse(error: unknown, what: string): void {
    if (!(error instanceof FrameError)) throw error;
    this.#opened.reject(error);
    this.leave(CLOSE_CODES.refused, `${what}: ${error.message}.`);
  }
}

function requireHost(frame: Frame): Frame {
  if (!VIEWER_KINDS.has(frame.kind)) return frame;
  throw new FrameError(`a host may not say "${frame.kind}"`);
}
