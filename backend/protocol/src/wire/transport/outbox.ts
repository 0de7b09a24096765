import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { guarded, type OnFault } from "../contain.ts";
import { rawSocket } from "./websocket.ts";

/**
 * Above this many unsent bytes streams wait: enough to keep a fast link busy, little to wait
 * behind.
 */
const HIGH_WATER_BYTES = 256 << 10;
/** Small packets of one turn of the event loop share WebSocket messages of up to this size. */
const BATCH_BYTES = 16 << 10;
/**
 * A large packet goes out as its first 4 KiB and the rest: a Go receiver reads into a buffer of
 * that size, and gains 15-20 % when it need not copy twice.
 */
const FIRST_PART_BYTES = 4096;

/** Whom an outbox tells. */
export interface OutboxDeps {
  /** There may be room again. */
  readonly onDrain: () => void;
  /** Told what is thrown outside of any call. */
  readonly onFault: OnFault;
  /** So many bytes wait for the peer. */
  onUnsent(bytes: number): void;
}

/**
 * What we send, on its way into the WebSocket: small packets are gathered, and back pressure is
 * read from the socket's own write queue.
 */
export class Outbox {
  bytesOut = 0;
  readonly #ws: WebSocket;
  readonly #deps: OutboxDeps;
  #socket: Socket | undefined;
  #packets: Buffer[] = [];
  #packetBytes = 0;
  #isScheduled = false;

  constructor(ws: WebSocket, deps: OutboxDeps) {
    this.#ws = ws;
    this.#deps = deps;
  }

  /** Called once the WebSocket is open; what was added before goes out now. */
  open(): void {
    this.#socket = rawSocket(this.#ws);
    this.#socket.on(
      "drain",
      guarded(this.#deps.onFault, () => this.#drained()),
    );
    this.flush();
  }

  /** Bytes the kernel has not taken yet. */
  get queuedBytes(): number {
    return this.#packetBytes + (this.#socket?.writableLength ?? 0);
  }

  get isCongested(): boolean {
    if (this.#packetBytes > HIGH_WATER_BYTES) return true;
    return (this.#socket?.writableLength ?? 0) > HIGH_WATER_BYTES;
  }

  /** True when the socket will say `drain` by itself. */
  get willDrain(): boolean {
    return this.#socket?.writableNeedDrain === true;
  }

  add(packet: Buffer): void {
    this.#packets.push(packet);
    this.#packetBytes += packet.length;
    this.bytesOut += packet.length;
    if (this.#packetBytes > HIGH_WATER_BYTES) {
      this.flush();
      return;
    }
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const later = guarded(this.#deps.onFault, () => {
      this.#isScheduled = false;
      this.flush();
    });
    setImmediate(later);
  }

  /** Hands everything to the WebSocket. */
  flush(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#packets.length === 0) return;
    const packets = this.#packets;
    this.#packets = [];
    this.#packetBytes = 0;
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    socket.cork();
    for (const message of gather(packets)) this.#ws.send(message);
    socket.uncork();
    if (this.willDrain) this.#deps.onUnsent(this.queuedBytes);
    else this.#drained();
  }

  /** Hands everything to the WebSocket, then what `close` writes: both in one write of the system. */
  finish(close: () => void): void {
    const socket = this.#socket;
    socket?.cork();
    this.flush();
    close();
    socket?.uncork();
  }

  #drained(): void {
    this.#deps.onUnsent(0);
    this.#deps.onDrain();
  }
}

/** The packets as WebSocket messages: small ones together, large ones in two parts. */
function gather(packets: readonly Buffer[]): Buffer[] {
  const messages: Buffer[] = [];
  let small: Buffer[] = [];
  let smallBytes = 0;
  const endBatch = () => {
    const [first] = small;
    if (first !== undefined) messages.push(small.length > 1 ? Buffer.concat(small) : first);
    small = [];
    smallBytes = 0;
  };
  for (const packet of packets) {
    if (smallBytes + packet.length > BATCH_BYTES) endBatch();
    if (packet.length > BATCH_BYTES) {
      messages.push(packet.subarray(0, FIRST_PART_BYTES), packet.subarray(FIRST_PART_BYTES));
      continue;
    }
    small.push(packet);
    smallBytes += packet.length;
  }
  endBatch();
  return messages;
}
