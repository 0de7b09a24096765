import { WireError } from "../wireError.ts";
import { IdentificationReader } from "./identification.ts";
import type { KeyedStream } from "./keyedStream.ts";
import type { TransportState } from "./transportDeps.ts";

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

/** Decides when to work on what came before the login; in the order of the calls. */
export type Pace = (work: () => void) => void;

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
  /** Pieces that wait for their turn. */
  #waiting = 0;

  constructor(deps: IntakeDeps, pace: Pace | undefined) {
    this.#deps = deps;
    this.#pace = pace;
  }

  /** Takes bytes as they came; does nothing once the transport is closed. */
  take(bytes: Buffer): void {
    const { transport } = this.#deps;
    if (transport.isClosed || bytes.length === 0) return;
    this.bytes += bytes.length;
    if (!transport.isReady && this.bytes > this.#deps.bytesBeforeLogin) {
      transport.fail(new WireError("limit", "too many bytes before the login"));
      return;
    }
    // What comes behind something that waits has to wait, too.
    if (transport.isReady && this.#waiting === 0) this.#pace = undefined;
    if (this.#pace === undefined) {
      this.#parse(bytes);
      return;
    }
    this.#waiting += 1;
    this.#pace(() => {
      this.#waiting -= 1;
      if (!transport.isClosed) this.#parse(bytes);
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
