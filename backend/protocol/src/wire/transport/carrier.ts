import type { WebSocket } from "ws";
import type { WireClock } from "../clock.ts";
import { contain, type OnFault } from "../contain.ts";
import type { CloseReason } from "../wireError.ts";
import { Outbox } from "./outbox.ts";
import { Unfinished } from "./unfinished.ts";
import { closeWebSocket, liftMessageLimit, stopReading, webSocketFailure } from "./websocket.ts";

/** A message holds one large packet, or several small ones, and their framing. */
const MESSAGE_SLACK_BYTES = 16 << 10;

/** Whom a carrier tells. */
export interface CarrierDeps {
  /** Bytes of the peer; where messages begin and end means nothing. None: a ping, a pong, or an empty message. */
  onBytes(bytes: Buffer): void;
  /** A message was told as a whole. */
  onMessage(): void;
  /** A message is not complete, and costs so much now; 0: none is begun. */
  onHalf(bytes: number): void;
  /** There may be room again. */
  readonly onDrain: () => void;
  /** So many bytes wait for the peer, which does not take them as they come. */
  onUnsent(bytes: number): void;
  /** The WebSocket failed or closed; may come more than once. */
  onEnd(reason: CloseReason): void;
  /** Told what the calls above, or anybody else who listens to the WebSocket, threw. */
  readonly onFault: OnFault;
}

/** What a control frame has for us. */
const NOTHING = Buffer.alloc(0);

/** A WebSocket as one stream of bytes each way. */
export class Carrier {
  readonly #ws: WebSocket;
  readonly #outbox: Outbox;
  /** From the opening on. */
  #unfinished: Unfinished | undefined;
  readonly #deps: CarrierDeps;

  /** Takes the WebSocket, which may still be connecting; it has told nobody anything yet. */
  constructor(ws: WebSocket, deps: CarrierDeps) {
    this.#ws = ws;
    this.#deps = deps;
    this.#outbox = new Outbox(ws, deps);
    contain(ws, deps.onFault);
    ws.binaryType = "fragments";
    ws.on("message", (data: Buffer | Buffer[]) => {
      const pieces = Array.isArray(data) ? data : [data];
      for (const bytes of pieces) deps.onBytes(bytes);
      if (pieces.length === 0) deps.onBytes(NOTHING);
      deps.onMessage();
    });
    // The library answers by itself, also a peer that takes no answers.
    ws.on("ping", () => {
      deps.onUnsent(this.queuedBytes);
      deps.onBytes(NOTHING);
    });
    ws.on("pong", () => deps.onBytes(NOTHING));
    ws.on("error", (error: Error) => {
      stopReading(ws);
      deps.onEnd(webSocketFailure(error));
    });
    ws.on("close", () => deps.onEnd({ kind: "lost", text: "the connection was lost" }));
    if (ws.readyState === ws.OPEN) this.#open();
    else ws.once("open", () => this.#open());
  }

  get bytesOut(): number {
    return this.#outbox.bytesOut;
  }

  /** Bytes the kernel has not taken yet. */
  get queuedBytes(): number {
    return this.#outbox.queuedBytes;
  }

  /** Bytes that have come of a message that is not complete. */
  get halfBytes(): number {
    return this.#unfinished?.bytes ?? 0;
  }

  get isCongested(): boolean {
    return this.#outbox.isCongested;
  }

  /** Sends bytes soon, together with what else is sent in this turn of the event loop. */
  add(bytes: Buffer): void {
    this.#outbox.add(bytes);
  }

  /** Stops reading from the peer. */
  pause(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.pause();
  }

  /** Reads again after `pause`. */
  resume(): void {
    if (this.#ws.isPaused) this.#ws.resume();
  }

  /** Lets messages with packets of this many bytes in from now on. */
  liftPacketLimit(bytes: number): void {
    liftMessageLimit(this.#ws, bytes + MESSAGE_SLACK_BYTES);
  }

  /** Sends what was added, and closes as `closeWebSocket` does. */
  close(clock: WireClock, bytesMax?: number): void {
    this.#outbox.finish(() => closeWebSocket(this.#ws, clock, bytesMax));
  }

  /** Ends it at once, with all that is in it. */
  cut(): void {
    this.#ws.terminate();
  }

  #open(): void {
    this.#outbox.open();
    this.#unfinished = Unfinished.watch(this.#ws, (bytes) => this.#deps.onHalf(bytes));
  }
}
