import { WireError } from "../wireError.ts";
import { IdentificationReader } from "./identification.ts";

/** What the intake of a transport works with. */
export interface IntakeDeps {
  /** Everything that may come before the login. */
  readonly bytesBeforeLogin: number;
  /** Decides when to work on what came before the login; in the order of the calls. */
  readonly pace: ((work: () => void) => void) | undefined;
  isReady(): boolean;
  isClosed(): boolean;
  /** More came before the login than may. */
  onFlood(): void;
  /** The peer's identification line is complete. */
  onIdentified(ident: string): void;
  /** Bytes behind the identification, never none. */
  onEncrypted(bytes: Buffer): void;
  /** Runs what deals with the peer's bytes; whatever that throws is the peer's fault. */
  guard(action: () => void): void;
}

/** What the peer sends, on its way to the engine: counted, paced, and without its first line. */
export class Intake {
  /** Bytes that came so far. */
  bytes = 0;
  readonly #deps: IntakeDeps;
  #identification: IdentificationReader | undefined = new IdentificationReader();
  /** Pieces that wait for their turn. */
  #waiting = 0;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  /** Takes bytes as they came; does nothing once the transport is closed. */
  take(bytes: Buffer): void {
    const { pace, isReady, isClosed } = this.#deps;
    if (isClosed() || bytes.length === 0) return;
    this.bytes += bytes.length;
    if (!isReady() && this.bytes > this.#deps.bytesBeforeLogin) {
      this.#deps.onFlood();
      return;
    }
    // What comes behind something that waits has to wait, too.
    if (pace === undefined || (isReady() && this.#waiting === 0)) {
      this.#parse(bytes);
      return;
    }
    this.#waiting += 1;
    pace(() => {
      this.#waiting -= 1;
      if (!isClosed()) this.#parse(bytes);
    });
  }

  #parse(bytes: Buffer): void {
    this.#deps.guard(() => {
      const encrypted = this.#identification === undefined ? bytes : this.#identify(bytes);
      if (encrypted === undefined || encrypted.length === 0) return;
      this.#deps.onEncrypted(encrypted);
    });
  }

  /** Answers the bytes behind the peer's identification, once that is complete. */
  #identify(bytes: Buffer): Buffer | undefined {
    const result = this.#identification?.feed(bytes);
    if (result === undefined || result.kind === "incomplete") return undefined;
    if (result.kind === "refused") throw new WireError("protocol", result.text);
    this.#identification = undefined;
    this.#deps.onIdentified(result.ident);
    return result.rest;
  }
}
