import { WireError } from "../wireError.ts";
import { IdentificationReader } from "./identification.ts";
import type { KeyedStream } from "./keyedStream.ts";
import type { Pace, TransportState } from "./transportDeps.ts";

/** What the intake of a transport works with. */
export interface IntakeDeps {
  /** Everything that may come before the login. */
  readonly bytesBeforeLogin: number;
  /** Whose intake it is. */
  readonly transport: TransportState;
  /** Gets what comes behind the identification. */
  readonly stream: Pick<KeyedStream, "start" | "receive">;
  /** Runs what deals with the peer's bytes; whatever that throws is the peer's fault. */
  guard(action: () => void): void;
}

/**
 * What a piece counts before the login beside its bytes: each is a frame of the WebSocket and some work
 * of ours, also where it has one byte.
 */
const PIECE_BYTES = 32;

/** What the peer sends, on its way to the engine: counted, paced, and without its first line. */
export class Intake {
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
    this.#countedBytes += bytes.length + PIECE_BYTES;
    if (!transport.isReady && this.#countedBytes > this.#deps.bytesBeforeLogin) {
      transport.fail(new WireError("limit", "too many bytes before the login"));
      return;
    }
    if (bytes.length === 0) return;
    if (transport.isReady && this.#waiting === undefined) this.#pace = undefined;
    if (this.#pace === undefined) this.#parse(bytes);
    else this.#wait(bytes, this.#pace);
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
      if (all !== undefined && !this.#deps.transport.isClosed) this.#parse(all);
    });
  }

  #parse(bytes: Buffer): void {
    this.#deps.guard(() => {
      const encrypted = this.#identification === undefined ? bytes : this.#identify(bytes);
      if (encrypted === undefined || encrypted.length === 0) return;
      this.#deps.stream.receive(encrypted);
    });
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
