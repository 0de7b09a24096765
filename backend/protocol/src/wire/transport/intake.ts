import type { WireClock } from "../clock.ts";
import { Fifo } from "../fifo.ts";
import type { HeldShare } from "../held.ts";
import { LEAST_PACKETS, type OwnTurns } from "../turns.ts";
import { WireError } from "../wireError.ts";
import type { Carrier } from "./carrier.ts";
import { Halves, type HalvesOwner } from "./halves.ts";
import { IdentificationReader } from "./identification.ts";
import type { KeyedStream } from "./keyedStream.ts";
import type { Pace, TransportLimits, TransportState } from "./transportDeps.ts";

/** What the intake of a transport works with. */
export interface IntakeDeps {
  readonly clock: WireClock;
  /** Everything that may come before the login, and how long anything may take to be complete. */
  readonly limits: Pick<TransportLimits, "bytesBeforeLogin" | "halfMs">;
  /** Whose intake it is. */
  readonly transport: TransportState;
  /** Gets what comes behind the identification. */
  readonly stream: Pick<KeyedStream, "start" | "receive" | "half" | "exchangeBytes" | "messages">;
  /** Where the bytes come from. */
  readonly carrier: Pick<Carrier, "pause" | "resume" | "halfBytes">;
  readonly turns: OwnTurns;
  /** Where it is counted what waits, and what is not complete. */
  readonly held: Pick<HeldShare, "set">;
  /** Runs what deals with the peer's bytes; whatever that throws is the peer's fault. */
  guard(action: () => void): void;
}

/**
 * What a piece counts before the login beside its bytes: each is a frame of the WebSocket and some work
 * of ours, also where it has one byte.
 */
const PIECE_BYTES = 32;
/** The same of what has no bytes for us: no peer sends it before its login, and a ping is answered. */
const EMPTY_PIECE_BYTES = 1 << 10;

/**
 * What the peer sends, on its way to the engine: counted, paced, and without its first line. After the
 * login nothing waits but what comes behind a packet after which the peer's turn is over, or after which
 * nothing may be taken: a message of the WebSocket may have any number of packets. Meanwhile nothing
 * more is read.
 */
export class Intake implements HalvesOwner {
  /** Bytes that came so far. */
  bytes = 0;
  /** What the peer calls itself; empty until that has come. */
  remoteIdent = "";
  readonly #deps: IntakeDeps;
  #identification: IdentificationReader | undefined = new IdentificationReader();
  /** Until the login. */
  #pace: Pace | undefined;
  /** What waits for its turn, as one piece; undefined: nothing does. */
  #waiting: Buffer | undefined;
  #countedBytes = 0;
  readonly #rest = new Fifo<Buffer>();
  #restBytes = 0;
  /** Memory that the first of the rest keeps beside its own bytes: it may be the end of a large message. */
  #usedUpBytes = 0;
  /** Nothing may be taken now: those above have enough to do. */
  #isPaused = false;
  #isScheduled = false;
  /** Since when the peer has been served; undefined: its first packets are under way. */
  #sinceMs: number | undefined;
  #packets = 0;
  #messageBytes = 0;
  /** From the first half on: few peers leave any. */
  #halves: Halves | undefined;

  constructor(deps: IntakeDeps, pace: Pace | undefined) {
    this.#deps = deps;
    this.#pace = pace;
  }

  /**
   * Takes bytes as they came; none: something came that has none for us, as a ping. Does nothing once
   * the transport is closed.
   */
  take(bytes: Buffer): void {
    const { transport } = this.#deps;
    if (transport.isClosed) return;
    this.bytes += bytes.length;
    this.#countedBytes += bytes.length + (bytes.length > 0 ? PIECE_BYTES : EMPTY_PIECE_BYTES);
    if (!transport.isReady && this.#countedBytes > this.#deps.limits.bytesBeforeLogin) {
      transport.fail(new WireError("limit", "too many bytes before the login"));
      return;
    }
    if (bytes.length === 0) return;
    if (transport.isReady && this.#waiting === undefined) this.#pace = undefined;
    if (this.#pace === undefined) this.#accept(bytes);
    else this.#wait(bytes, this.#pace);
  }

  /** Says what half a packet costs, and a key exchange. Called when a message was taken as a whole. */
  count(): void {
    const { transport, stream, held } = this.#deps;
    if (transport.isClosed) return;
    held.set("packet", stream.half.memoryBytes + stream.exchangeBytes);
    this.#watch();
  }

  /** A message of the WebSocket is not complete, and costs so much. */
  beginMessage(bytes: number): void {
    if (this.#deps.transport.isClosed) return;
    this.#messageBytes = bytes;
    this.#deps.held.set("message", bytes);
    this.#watch();
  }

  /** Nothing is waited for any more. */
  stopWatching(): void {
    this.#halves?.stop();
  }

  get isHeldUp(): boolean {
    return this.#isPaused || this.#rest.length > 0;
  }

  get isHalf(): boolean {
    return this.#messageBytes > 0 || this.#deps.stream.half.bytes > 0;
  }

  get begunBytes(): number {
    return this.#deps.carrier.halfBytes + this.#deps.stream.half.bytes;
  }

  get completed(): number {
    return this.#deps.stream.messages;
  }

  onOverdue(): void {
    this.#deps.transport.fail(new WireError("timeout", "what was begun was not completed in time"));
  }

  /** Whether the packets behind the one that was taken last have to wait. */
  get isTurnOver(): boolean {
    if (this.#isPaused) return true;
    this.#packets += 1;
    if (this.#packets < LEAST_PACKETS) return false;
    this.#sinceMs ??= this.#deps.turns.nowMs();
    return this.#deps.turns.isOver(this.#sinceMs);
  }

  /** Takes nothing more, and reads nothing more, until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#deps.carrier.pause();
  }

  /** Goes on after `pause`, with what waits in a later turn. */
  resume(): void {
    this.#isPaused = false;
    this.#settle();
  }

  #accept(bytes: Buffer): void {
    if (this.#isPaused || this.#rest.length > 0) {
      this.#rest.push(bytes);
      this.#restBytes += bytes.length;
    } else {
      this.#begin();
      this.#parse(bytes);
    }
    if (this.#rest.length > 0) this.#settle();
  }

  #begin(): void {
    this.#sinceMs = undefined;
    this.#packets = 0;
  }

  /** The turn of what waits. */
  #serve(): void {
    this.#isScheduled = false;
    this.#begin();
    do {
      if (this.#isPaused || this.#deps.transport.isClosed) break;
      const next = this.#rest.take();
      if (next === undefined) break;
      this.#restBytes -= next.length;
      this.#usedUpBytes = 0;
      this.#parse(next);
    } while (!this.isTurnOver);
    this.#settle();
    this.count();
  }

  /** Reads, or waits for a turn, as it has to be now. */
  #settle(): void {
    const { transport, carrier, turns, held } = this.#deps;
    if (transport.isClosed) this.#rest.clear();
    else held.set("unparsed", this.#restBytes + this.#usedUpBytes);
    if (this.#rest.length === 0) {
      if (this.#isPaused) return;
      carrier.resume();
      if (!transport.isClosed) this.#halves?.restart();
      return;
    }
    carrier.pause();
    if (this.#isPaused || this.#isScheduled) return;
    this.#isScheduled = true;
    turns.later(() => this.#serve());
  }

  /** What comes behind something that waits has to wait, too. */
  #wait(bytes: Buffer, pace: Pace): void {
    if (this.#waiting !== undefined) {
      this.#waiting = Buffer.concat([this.#waiting, bytes]);
      return;
    }
    this.#waiting = bytes;
    pace(() => {
      const all = this.#waiting;
      this.#waiting = undefined;
      if (all === undefined || this.#deps.transport.isClosed) return;
      this.#accept(all);
      this.count();
    });
  }

  #watch(): void {
    const { clock, limits, transport } = this.#deps;
    if (transport.isClosed || !this.isHalf) return;
    this.#halves ??= new Halves(clock, limits.halfMs, this);
    this.#halves.observe();
  }

  #parse(bytes: Buffer): void {
    this.#deps.guard(() => {
      const encrypted = this.#identification === undefined ? bytes : this.#identify(bytes);
      if (encrypted === undefined || encrypted.length === 0) return;
      this.#keep(this.#deps.stream.receive(encrypted));
    });
  }

  #keep(rest: Buffer | undefined): void {
    if (rest === undefined) return;
    this.#rest.putBack(rest);
    this.#restBytes += rest.length;
    this.#usedUpBytes = rest.buffer.byteLength - rest.length;
  }

  /** Answers the bytes behind the peer's identification, once that is complete. */
  #identify(bytes: Buffer): Buffer | undefined {
    const result = this.#identification?.feed(bytes);
    if (result === undefined || result.kind === "incomplete") return undefined;
    if (result.kind === "refused") throw new WireError("protocol", result.text);
    this.#identification = undefined;
    this.remoteIdent = result.ident;
    this.#deps.stream.start(result.ident);
    return result.rest;
  }
}
