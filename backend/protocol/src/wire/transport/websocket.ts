import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { WireClock } from "../clock.ts";
import { joined, memoryOf } from "../gathered.ts";
import type { CloseReason } from "../wireError.ts";

/** What `wire/` touches inside `ws`; there is no public way to these. */
interface WebSocketInternals {
  readonly _socket?: Socket | null;
  readonly _receiver?: Receiver;
}

/** What reads the frames of one. */
interface Receiver extends Partial<Parts> {
  _maxPayload?: unknown;
  _maxFragments?: unknown;
  _maxBufferedChunks?: unknown;
}

/** What it keeps of a message that is not complete. */
interface Parts {
  /** Bytes of a frame that is not complete. */
  _buffers: Buffer[];
  /** Complete frames of a message that is not. */
  _fragments: Buffer[];
  _mask: Buffer | undefined;
  readonly _bufferedBytes: number;
  readonly _messageLength: number;
}

/** A Go client cuts its messages into fragments of about this size. */
const SMALLEST_FRAGMENT_BYTES = 512;
/** What the library says when a message is too large, or in too many pieces. */
const TOO_LARGE: ReadonlySet<string> = new Set([
  "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
  "WS_ERR_TOO_MANY_BUFFERED_PARTS",
]);

/** Time the closing handshake gets before the socket is cut. */
const GOODBYE_MS = 1000;
/** What a peer may send in that time: what was on its way, and not what it goes on with. */
const GOODBYE_BYTES = 4 << 20;

/**
 * The TCP or TLS socket below an open WebSocket; its write queue is what back pressure is about.
 */
export function rawSocket(ws: WebSocket): Socket {
  const socket = (ws as unknown as WebSocketInternals)._socket;
  if (typeof socket?.writableLength !== "number") {
    throw new Error("ws keeps its socket elsewhere than this version expects");
  }
  return socket;
}

/**
 * Lets messages up to `bytes` in from now on. Listeners start with a small limit, because anybody
 * may connect; the limit goes up when the peer has logged in.
 */
export function liftMessageLimit(ws: WebSocket, bytes: number): void {
  const receiver = (ws as unknown as WebSocketInternals)._receiver;
  if (
    typeof receiver?._maxPayload !== "number" ||
    typeof receiver._maxFragments !== "number" ||
    typeof receiver._maxBufferedChunks !== "number"
  ) {
    throw new Error("ws keeps its message limits elsewhere than this version expects");
  }
  if (receiver._maxPayload > 0) receiver._maxPayload = Math.max(receiver._maxPayload, bytes);
  const pieces = Math.ceil(bytes / SMALLEST_FRAGMENT_BYTES);
  if (receiver._maxFragments > 0) receiver._maxFragments = Math.max(receiver._maxFragments, pieces);
  if (receiver._maxBufferedChunks > 0) {
    receiver._maxBufferedChunks = Math.max(receiver._maxBufferedChunks, pieces);
  }
}

/** What the library keeps of a message, and of a frame, that is not complete. */
export class KeptByReceiver {
  readonly #receiver: Parts;

  constructor(receiver: Parts) {
    this.#receiver = receiver;
  }

  get isNothing(): boolean {
    const { _buffers, _fragments, _mask } = this.#receiver;
    return _buffers.length === 0 && _fragments.length === 0 && _mask === undefined;
  }

  get pieces(): number {
    const { _buffers, _fragments } = this.#receiver;
    return _buffers.length + _fragments.length;
  }

  get bytes(): number {
    return this.#receiver._bufferedBytes + this.#receiver._messageLength;
  }

  /** Bytes of the memory that it was cut from. */
  get memoryBytes(): number {
    const { _buffers, _fragments, _mask } = this.#receiver;
    return memoryOf([..._fragments, ..._buffers, ...(_mask === undefined ? [] : [_mask])]);
  }

  /** Puts it together in few pieces; the library finds the same bytes. */
  join(): void {
    const receiver = this.#receiver;
    receiver._buffers = joined(receiver._buffers);
    receiver._fragments = joined(receiver._fragments);
    if (receiver._mask !== undefined) [receiver._mask] = joined([receiver._mask]);
  }
}

/** What the library keeps, now and later, of a message that is not complete. */
export function keptByReceiver(ws: WebSocket): KeptByReceiver {
  const receiver = (ws as unknown as WebSocketInternals)._receiver;
  if (receiver === undefined || !hasParts(receiver)) {
    throw new Error("ws keeps unfinished messages elsewhere than this version expects");
  }
  return new KeptByReceiver(receiver);
}

function hasParts(receiver: Receiver): receiver is Receiver & Parts {
  const { _buffers, _fragments, _bufferedBytes, _messageLength } = receiver;
  const areLists = Array.isArray(_buffers) && Array.isArray(_fragments);
  return areLists && typeof _bufferedBytes === "number" && typeof _messageLength === "number";
}

/**
 * Closes in order, and cuts the socket when the peer does not take part, or sends more than
 * `bytesMax` meanwhile.
 */
export function closeWebSocket(
  ws: WebSocket,
  clock: WireClock,
  bytesMax: number = GOODBYE_BYTES,
): void {
  if (ws.readyState === ws.CLOSED) return;
  if (ws.readyState === ws.CONNECTING) {
    ws.terminate();
    return;
  }
  ws.close();
  let bytes = 0;
  (ws as unknown as WebSocketInternals)._socket?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) ws.terminate();
  });
  const timer = clock.after(GOODBYE_MS, () => ws.terminate());
  ws.once("close", () => timer.cancel());
}

/**
 * Reads no more of a WebSocket that broke the rules of its framing. The library would read on, though it
 * understands nothing any more: megabytes that are on their way, for nothing. The peer still reads what
 * we say, until the socket is cut.
 */
export function stopReading(ws: WebSocket): void {
  const socket = (ws as unknown as WebSocketInternals)._socket;
  // Behind the library, which begins to read again in the same way.
  process.nextTick(() => socket?.pause());
}

/** A WebSocket error as a reason: broken framing is the peer's fault, the rest the network's. */
export function webSocketFailure(error: Error & { code?: unknown }): CloseReason {
  const code = typeof error.code === "string" ? error.code : "";
  if (TOO_LARGE.has(code)) return { kind: "size", text: error.message };
  return { kind: code.startsWith("WS_ERR_") ? "protocol" : "lost", text: error.message };
}
