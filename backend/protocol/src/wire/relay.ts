import type { Duplex } from "node:stream";
import { Channel } from "./connection/channel.ts";
import { guarded, type OnFault } from "./contain.ts";
import { Gathered } from "./gathered.ts";
import type { HeldShare } from "./held.ts";
import { WireError } from "./wireError.ts";

/** How a relay ended: bytes moved each way, and the first error of either side. */
export interface RelayResult {
  readonly bytesAtoB: number;
  readonly bytesBtoA: number;
  readonly error?: Error;
}

/** Bytes moved each way, of one relay or of several one after another. */
export interface Tally {
  bytesAtoB: number;
  bytesBtoA: number;
}

/** What a socket reads although it is paused: what one read of the system brings. */
const AHEAD_BYTES = 64 << 10;
/** What one stream may move per turn of the event loop while others want their turn, too. */
const TURN_BYTES = 64 << 10;

/**
 * The relays of one process. Node reads up to 2 MB from one busy socket before it looks at the
 * next; while more than one relay is open, each pauses after its share, which brings the wait of
 * the others from 8-15 ms to below 1 ms. A lone relay runs at full speed. A stream that throws where
 * streams must not ends its relay alone; `onFault` is told.
 */
export class Relays {
  readonly #onFault: OnFault;
  #active = 0;
  #bytes = 0;

  constructor(onFault: OnFault = () => {}) {
    this.#onFault = onFault;
  }

  /** Relays open now. */
  get active(): number {
    return this.#active;
  }

  /** Bytes moved since the start, both ways. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Joins two streams both ways; see `relay`. What is moved is added to `tally` as it is moved. */
  async join(a: Duplex, b: Duplex, tally?: Tally): Promise<RelayResult> {
    this.#active += 1;
    try {
      return await joined(a, b, {
        isShared: () => this.#active > 1,
        onBytes: (bytes) => {
          this.#bytes += bytes;
        },
        onFault: this.#onFault,
        tally,
      });
    } finally {
      this.#active -= 1;
    }
  }
}

/**
 * Joins two streams both ways until both are closed, and then resolves, also after errors. The end
 * of one direction ends the same direction of the other stream (half-close passes through when both
 * streams know it); data written before an end is delivered before the stream is destroyed; a
 * reader that does not read stops the writer. Streams may come paused. Without `relays` it takes no
 * regard to others.
 */
export function relay(a: Duplex, b: Duplex, relays?: Relays): Promise<RelayResult> {
  const alone: Surroundings = {
    isShared: () => false,
    onBytes: () => {},
    onFault: () => {},
    tally: undefined,
  };
  return relays === undefined ? joined(a, b, alone) : relays.join(a, b);
}

/** What two streams are joined among. */
interface Surroundings {
  readonly isShared: () => boolean;
  readonly onBytes: (bytes: number) => void;
  readonly onFault: OnFault;
  /** Where bytes are counted by direction, too. */
  readonly tally: Tally | undefined;
}

/** What a direction is part of. */
interface Whole extends Omit<Surroundings, "tally"> {
  /** Ends the whole relay, for a reason: nothing of it has come to its end. */
  readonly end: (why: Error) => void;
}

function joined(a: Duplex, b: Duplex, surroundings: Surroundings): Promise<RelayResult> {
  const { isShared, onBytes, onFault, tally = { bytesAtoB: 0, bytesBtoA: 0 } } = surroundings;
  return new Promise((resolve) => {
    let error: Error | undefined;
    let open = 2;
    const keepFirst = (caught: Error) => {
      error ??= caught;
    };
    const end = (why: Error) => {
      keepFirst(why);
      a.destroy(why);
      b.destroy(why);
    };
    const ends: OnFault = (caught) => {
      onFault(caught);
      end(caught instanceof Error ? caught : new Error(String(caught)));
    };
    const whole = { isShared, onFault: ends, end };
    const forth = new Direction(a, b, {
      ...whole,
      onBytes: (bytes) => {
        tally.bytesAtoB += bytes;
        onBytes(bytes);
      },
    });
    const back = new Direction(b, a, {
      ...whole,
      onBytes: (bytes) => {
        tally.bytesBtoA += bytes;
        onBytes(bytes);
      },
    });
    const onClosed = (other: Duplex) => {
      finishThenDestroy(other);
      open -= 1;
      if (open > 0) return;
      const bytes = { bytesAtoB: forth.bytes, bytesBtoA: back.bytes };
      resolve(error === undefined ? bytes : { ...bytes, error });
    };
    watch(a, keepFirst, () => onClosed(b));
    watch(b, keepFirst, () => onClosed(a));
    forth.start();
    back.start();
  });
}

/** Calls `onClosed` once, also for a stream that is closed already. */
function watch(stream: Duplex, onError: (error: Error) => void, onClosed: () => void): void {
  stream.on("error", onError);
  if (stream.closed) queueMicrotask(onClosed);
  else stream.once("close", onClosed);
}

/** What was written before `end()` goes first; a stream that was not ended is cut. */
function finishThenDestroy(stream: Duplex): void {
  if (stream.writableEnded && !stream.writableFinished && !stream.destroyed) {
    stream.once("finish", () => stream.destroy());
    return;
  }
  stream.destroy();
}

/** Where it is counted what waits for a channel, or comes out of one. */
export function heldFor(stream: Duplex): HeldShare | undefined {
  return stream instanceof Channel ? stream.held : undefined;
}

/** One direction of a relay. */
class Direction {
  bytes = 0;
  readonly #source: Duplex;
  readonly #sink: Duplex;
  readonly #isShared: () => boolean;
  readonly #onBytes: (bytes: number) => void;
  readonly #onFault: OnFault;
  readonly #held: HeldShare | undefined;
  readonly #end: (why: Error) => void;
  /** Behind what the sink has not taken: the sink itself would keep every small piece. */
  readonly #waiting = new Gathered();
  readonly #onTaken: () => void;
  #turnBytes = 0;
  #isBlocked = false;
  #isYielding = false;

  constructor(source: Duplex, sink: Duplex, { isShared, onBytes, onFault, end }: Whole) {
    this.#source = source;
    this.#sink = sink;
    this.#isShared = isShared;
    this.#onBytes = onBytes;
    this.#onFault = onFault;
    this.#held = heldFor(source) ?? heldFor(sink);
    this.#end = end;
    this.#onTaken = guarded(onFault, () => this.#taken());
  }

  /** Others who talk to the same peer need the room. */
  end(): void {
    this.#end(new WireError("limit", "others need the room that this stream takes"));
  }

  start(): void {
    const source = this.#source;
    const guard = (run: (chunk: Buffer) => void) => guarded(this.#onFault, run);
    if (source.readableEnded || source.destroyed) {
      this.#sink.end();
      return;
    }
    this.#sink.once("close", () => this.#hold(0));
    source.on(
      "end",
      guard(() => this.#finish()),
    );
    source.on(
      "data",
      guard((chunk) => this.#move(chunk)),
    );
    source.resume();
  }

  #move(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.#onBytes(chunk.length);
    const sink = this.#sink;
    if (!sink.writable) return;
    if (sink.writableLength > 0) this.#waiting.add(chunk);
    else sink.write(chunk, this.#onTaken);
    const unsent = sink.writableLength + this.#waiting.bytes;
    this.#isBlocked = unsent >= Math.max(1, sink.writableHighWaterMark);
    if (this.#isBlocked) this.#hold(unsent + this.#aheadBytes);
    this.#turnBytes += chunk.length;
    if (this.#turnBytes >= TURN_BYTES && this.#isShared()) this.#yield();
    if (this.#isBlocked || this.#isYielding) this.#source.pause();
  }

  /** The sink has taken something: what waits goes next. */
  #taken(): void {
    const sink = this.#sink;
    if (sink.writableLength > 0 || !sink.writable) return;
    const block = this.#waiting.take();
    if (block !== undefined) {
      sink.write(block, this.#onTaken);
      return;
    }
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#hold(0);
    this.#resume();
  }

  /** Nothing more comes: the sink gets what waits, and its end. */
  #finish(): void {
    const rest = this.#waiting.takeAll();
    if (rest.length > 0 && this.#sink.writable) this.#sink.write(rest);
    this.#sink.end();
  }

  /** What was promised to a channel's peer is counted there. */
  get #aheadBytes(): number {
    return this.#source instanceof Channel ? 0 : AHEAD_BYTES;
  }

  /** So many bytes wait for the sink, which does not take them as they come. */
  #hold(bytes: number): void {
    this.#held?.wait(this, bytes);
  }

  #yield(): void {
    if (this.#isYielding) return;
    this.#isYielding = true;
    const next = guarded(this.#onFault, () => {
      this.#isYielding = false;
      this.#turnBytes = 0;
      this.#resume();
    });
    setImmediate(next);
  }

  #resume(): void {
    if (!this.#isBlocked && !this.#isYielding) this.#source.resume();
  }
}
