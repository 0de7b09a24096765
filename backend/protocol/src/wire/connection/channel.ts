import { Duplex } from "node:stream";
import { type Deferred, deferred } from "../deferred.ts";
import type { HeldShare } from "../held.ts";
import { INLET_HIGH_WATER_BYTES, Inlet } from "../inlet.ts";
import { LEAST_PACKETS, type OwnTurns } from "../turns.ts";
import { WireError } from "../wireError.ts";
import type { Message } from "./messages.ts";
import type { Room } from "./room.ts";

/** Largest data packet either side sends; Go ends the connection above it. */
export const MAX_DATA_BYTES = 32_768;
/** What the stream takes to send before it says stop. */
const UNSENT_BYTES = 32 << 10;
const MAX_WINDOW = 0xffff_ffff;
/** Channel requests of ours that wait for their answer. */
const PENDING_REQUESTS = 16;

/** The connection as a channel sees it. */
export interface ChannelHost {
  readonly isCongested: boolean;
  /** Calls `pump` of this channel when there is room. */
  waitForRoom(channel: Channel): void;
  readonly turns: Pick<OwnTurns, "nowMs" | "isOver">;
  /** Calls `pump` of this channel in a later turn of the event loop. */
  waitForTurn(channel: Channel): void;
  send(message: Message): void;
  sendData(recipient: number, data: Buffer): void;
  /** What is held for the connection. */
  readonly held: HeldShare;
  /** We have closed; when the peer has, too, the number is free. */
  forget(channel: Channel): void;
}

/** The numbers and sizes a channel begins with. */
export interface ChannelTerms {
  /** Our number. */
  readonly id: number;
  /** The peer's number. */
  readonly remoteId: number;
  readonly type: string;
  /** Bytes that the peer may send before we have read any. */
  readonly room: Room;
  /** Bytes we may send at first, and in one packet. */
  readonly window: number;
  readonly maxPacket: number;
  /** Whether the end of one direction leaves the other open. Go peers close both. */
  readonly halfClose: boolean;
}

/** Answers a channel request such as `subsystem`; true for success. */
export type ChannelRequestHandler = (name: string, payload: Buffer) => boolean;

/**
 * One SSH channel as a Duplex. `end()` sends EOF when both sides know half-close and CLOSE
 * otherwise; `destroy()` sends CLOSE at once and drops what is unsent. When the peer closes, what
 * it sent can still be read and what we write is dropped without an error. Whoever gets a channel
 * must read it or destroy it.
 */
export class Channel extends Duplex {
  readonly id: number;
  readonly type: string;
  readonly halfClose: boolean;
  /** Set by whoever accepts channels on which the peer may ask for something. */
  onRequest: ChannelRequestHandler | undefined;
  /** Told when the peer closes while what it sent is not read yet: it needs no reader for that. */
  onPeerClosed: (() => void) | undefined;
  readonly #host: ChannelHost;
  readonly #remoteId: number;
  readonly #maxPacket: number;
  readonly #room: Room;
  readonly #inlet = new Inlet(this);
  #sendWindow: number;
  #chunk: Buffer | undefined;
  #chunkDone: ((error?: Error | null) => void) | undefined;
  #hasSentEof = false;
  #hasSentClose = false;
  #hasPeerEof = false;
  #hasPeerClosed = false;
  #requests: Deferred<boolean>[] = [];

  constructor(host: ChannelHost, terms: ChannelTerms) {
    // Whatever the peer may send waits in the inlet: how much that is says the window.
    super({
      readableHighWaterMark: INLET_HIGH_WATER_BYTES,
      writableHighWaterMark: UNSENT_BYTES,
      allowHalfOpen: terms.halfClose,
    });
    this.#host = host;
    this.id = terms.id;
    this.type = terms.type;
    this.halfClose = terms.halfClose;
    this.#remoteId = terms.remoteId;
    this.#maxPacket = Math.min(terms.maxPacket, MAX_DATA_BYTES);
    this.#sendWindow = terms.window;
    this.#room = terms.room;
  }

  /** True when nothing more can happen on this number. */
  get isOver(): boolean {
    return this.#hasSentClose && this.#hasPeerClosed;
  }

  /** Asks the peer for something on this channel (`subsystem`); resolves with its yes or no. */
  request(name: string, payload: Buffer): Promise<boolean> {
    if (this.#hasSentClose || this.#requests.length >= PENDING_REQUESTS) {
      return Promise.reject(new WireError("local", "the channel takes no requests now"));
    }
    const answer = deferred<boolean>();
    this.#requests.push(answer);
    const recipient = this.#remoteId;
    this.#host.send({ kind: "channelRequest", recipient, name, wantReply: true, payload });
    return answer.promise;
  }

  /**
   * Sends as much of the pending write as windows, the socket and the time of whoever has been served
   * since then allow; a few packets in any case.
   */
  pump(sinceMs?: number): void {
    const { turns } = this.#host;
    const fromMs = sinceMs ?? turns.nowMs();
    for (let sent = 1; this.#chunk !== undefined; sent += 1) {
      if (this.#hasSentClose) break;
      if (this.#sendWindow === 0) return;
      if (this.#host.isCongested) {
        this.#host.waitForRoom(this);
        return;
      }
      this.#sendPiece(this.#chunk);
      if (this.#chunk === undefined || sent < LEAST_PACKETS || !turns.isOver(fromMs)) continue;
      this.#host.waitForTurn(this);
      return;
    }
    this.#chunk = undefined;
    const done = this.#chunkDone;
    this.#chunkDone = undefined;
    done?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#chunk = chunk;
    this.#chunkDone = done;
    this.pump();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.halfClose) this.#sendEof();
    else this.#sendClose();
    done();
  }

  /** Bytes that came and were not read. */
  get unread(): number {
    return this.#inlet.unread;
  }

  /** What is held for the connection. */
  get held(): HeldShare {
    return this.#host.held;
  }

  /** The peer is not asked for anything: it sends as its room allows. */
  override _read(): void {
    this.#inlet.read();
  }

  override read(size?: number): Buffer | null {
    const bytes: Buffer | null = super.read(size);
    this.#returnRoom();
    return bytes;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#sendClose();
    this.#chunk = undefined;
    const pending = this.#chunkDone;
    this.#chunkDone = undefined;
    pending?.(error ?? new WireError("local", "the channel was closed"));
    this.#refuseRequests();
    this.#room.release();
    done(error);
  }

  /** The peer sent data. Throws when it was more than it may. */
  receive(data: Buffer): void {
    const isTooLate = this.#hasPeerEof || this.#hasPeerClosed;
    if (isTooLate || data.length > MAX_DATA_BYTES || !this.#room.take(data.length)) {
      throw new WireError("protocol", "more data on a channel than allowed");
    }
    if (this.destroyed) return;
    this.#inlet.add(data);
    this.#returnRoom();
  }

  /** Data of a kind nobody asked for (stderr): dropped, and its room given back. */
  receiveExtended(data: Buffer): void {
    if (this.#hasPeerClosed || !this.#room.take(data.length)) {
      throw new WireError("protocol", "more data on a channel than allowed");
    }
    this.#returnRoom();
  }

  /** The peer will send no more data. */
  receiveEof(): void {
    if (this.#hasPeerEof) return;
    this.#hasPeerEof = true;
    if (!this.destroyed) this.#inlet.end();
  }

  /**
   * The peer has closed. What it sent before stays readable; the stream closes after it was read.
   */
  receiveClose(): void {
    if (this.#hasPeerClosed) throw new WireError("protocol", "a channel was closed twice");
    this.#hasPeerClosed = true;
    this.#sendClose();
    this.#host.forget(this);
    this.#refuseRequests();
    if (this.destroyed) return;
    this.pump();
    if (this.readableEnded) {
      this.destroy();
      return;
    }
    this.once("end", () => this.destroy());
    this.receiveEof();
    this.onPeerClosed?.();
  }

  /** The peer lets us send more. Throws when the window would not fit its 32 bits. */
  receiveWindow(bytes: number): void {
    this.#sendWindow += bytes;
    if (this.#sendWindow > MAX_WINDOW) throw new WireError("protocol", "channel window overflow");
    if (this.#chunk !== undefined) this.pump();
  }

  /** The peer asks for something on this channel. */
  receiveRequest(request: Extract<Message, { kind: "channelRequest" }>): void {
    const isAccepted = this.onRequest?.(request.name, request.payload) ?? false;
    if (!request.wantReply || this.#hasSentClose) return;
    const kind = isAccepted ? "channelSuccess" : "channelFailure";
    this.#host.send({ kind, recipient: this.#remoteId });
  }

  /** The answer to our oldest request. Throws when there was none. */
  receiveReply(isAccepted: boolean): void {
    const answer = this.#requests.shift();
    if (answer !== undefined) answer.resolve(isAccepted);
    else if (!this.#hasSentClose) throw new WireError("protocol", "a reply to no channel request");
  }

  /**
   * The connection is gone: nothing can be sent any more. Whoever listens for errors learns why;
   * a stream that nobody watches must not bring the process down.
   */
  abandon(error: WireError): void {
    this.#hasSentClose = true;
    this.#hasPeerClosed = true;
    if (!this.destroyed) this.destroy(this.listenerCount("error") > 0 ? error : undefined);
  }

  #sendPiece(chunk: Buffer): void {
    const size = Math.min(this.#sendWindow, this.#maxPacket, chunk.length);
    this.#sendWindow -= size;
    this.#chunk = size === chunk.length ? undefined : chunk.subarray(size);
    this.#host.sendData(this.#remoteId, size === chunk.length ? chunk : chunk.subarray(0, size));
  }

  #sendEof(): void {
    if (this.#hasSentEof || this.#hasSentClose) return;
    this.#hasSentEof = true;
    this.#host.send({ kind: "eof", recipient: this.#remoteId });
  }

  #sendClose(): void {
    if (this.#hasSentClose) return;
    this.#hasSentClose = true;
    this.#host.send({ kind: "close", recipient: this.#remoteId });
    this.#host.forget(this);
  }

  /** Nothing may follow our CLOSE on a channel: Go would end the whole connection. */
  #returnRoom(): void {
    if (this.#hasSentClose || this.#hasPeerClosed) return;
    const bytes = this.#room.giveBack(this.unread);
    if (bytes > 0) this.#host.send({ kind: "windowAdjust", recipient: this.#remoteId, bytes });
  }

  #refuseRequests(): void {
    for (const answer of this.#requests.splice(0)) answer.resolve(false);
  }
}
