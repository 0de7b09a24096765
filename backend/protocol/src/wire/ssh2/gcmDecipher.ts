import {
  type CipherGCMTypes,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
} from "node:crypto";
import { WireError } from "../wireError.ts";
import { LOWEST_CONNECTION_MESSAGE, SMALL_PACKET_BYTES } from "./bounds.ts";
import { BLOCK_BYTES, type GcmKey, LENGTH_BYTES, Nonce, SHARED, TAG_BYTES } from "./gcm.ts";

/**
 * Memory for a packet is taken in growing pieces from here, as its bytes arrive. A Go client sends the
 * first 4 KiB of a result of megabytes as a message of their own: many hosts may be there at once.
 */
const FIRST_PIECE_BYTES = 64 << 10;

/** A packet that is not complete. */
export interface Half {
  /** How many of its bytes have come, with those of its length; 0: none is begun. */
  readonly bytes: number;
  /** The memory that it takes. */
  readonly memoryBytes: number;
}

const NOTHING: Half = { bytes: 0, memoryBytes: 0 };

/** The largest packet a peer may send now; the transport raises it at login. */
export interface PacketLimit {
  packetBytes: number;
  /** Asked between two packets: whether what comes behind has to wait; undefined: nothing ever has to. */
  readonly isTurnOver?: (() => boolean) | undefined;
  /** What has to wait of the bytes that were given last; undefined: nothing. */
  rest?: Buffer | undefined;
}

/**
 * Cuts a byte stream into packets, checks and decrypts them. Nothing of a packet is used before its
 * tag was verified. Throws on a bad length, tag or padding, which ends the connection.
 */
export class GcmDecipher {
  inSeqno: number;
  /** Replaced by the key exchange while one is running, so it must stay a plain field. */
  _onPayload: (payload: Buffer) => unknown;
  readonly #cipher: CipherGCMTypes;
  readonly #key: KeyObject;
  readonly #nonce: Nonce;
  readonly #limit: PacketLimit;
  /** Takes payloads while no key exchange is running. */
  readonly #usual: (payload: Buffer) => unknown;
  /** The clear length in front of a packet, as far as it has come. */
  #length = 0;
  #lengthBytes = 0;
  #body: Buffer | undefined;
  #bodyBytes = 0;

  constructor(material: GcmKey, limit: PacketLimit, onPayload: (payload: Buffer) => unknown) {
    this.inSeqno = material.seqno;
    this._onPayload = onPayload;
    this.#usual = onPayload;
    this.#cipher = material.cipher;
    this.#key = createSecretKey(material.key);
    this.#nonce = new Nonce(material.iv);
    this.#limit = limit;
  }

  free(): void {
    this.#body = undefined;
  }

  /** What has come of a packet that is not complete, from the first byte of its length on. */
  get half(): Half {
    if (this.#lengthBytes === 0) return NOTHING;
    return { bytes: this.#lengthBytes + this.#bodyBytes, memoryBytes: this.#body?.length ?? 0 };
  }

  /**
   * Takes `bytes[at..end)`, or leaves what has to wait in `PacketLimit.rest`. Answers where it stopped when a payload handler asked for that, as the
   * library's own deciphers do.
   */
  decrypt(bytes: Buffer, start: number, end: number): number | undefined {
    let at = start;
    while (at < end) {
      if (this.#lengthBytes < LENGTH_BYTES) {
        at = this.#readLength(bytes, at, end);
        continue;
      }
      const missing = this.#packetBytes() - this.#bodyBytes;
      const taken = Math.min(missing, end - at);
      const payload = this.#take(bytes.subarray(at, at + taken), taken === missing);
      at += taken;
      if (payload === undefined) return;
      const answer = this._onPayload(payload);
      if (answer === false) return at;
      if (typeof answer === "number") return answer;
      if (at < end && this.#limit.isTurnOver?.()) {
        this.#limit.rest = bytes.subarray(at, end);
        return;
      }
    }
    return;
  }

  #readLength(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (this.#lengthBytes < LENGTH_BYTES && at < end) {
      this.#length = ((this.#length << 8) | (bytes[at] ?? 0)) >>> 0;
      this.#lengthBytes += 1;
      at += 1;
    }
    if (this.#lengthBytes === LENGTH_BYTES) this.#checkLength(this.#length);
    return at;
  }

  #checkLength(length: number): void {
    const isWhole = length >= BLOCK_BYTES && length % BLOCK_BYTES === 0;
    if (!isWhole) throw new Error(`packet of ${length} bytes`);
    const { packetBytes } = this.#limit;
    if (length > packetBytes) {
      throw new WireError("size", `packet of ${length} bytes, where ${packetBytes} are allowed`);
    }
    // From its KEXINIT to its NEWKEYS a peer sends nothing of the connection.
    const isExchanging = this._onPayload !== this.#usual;
    if (isExchanging && length > SMALL_PACKET_BYTES) throw tooLarge("in a key exchange", length);
  }

  #packetBytes(): number {
    return this.#length + TAG_BYTES;
  }

  /** Adds a piece of a packet; answers its payload when it was the last piece. */
  #take(piece: Buffer, isLast: boolean): Buffer | undefined {
    let whole = piece;
    if (!isLast || this.#body !== undefined) {
      this.#append(piece);
      if (!isLast || this.#body === undefined) return;
      whole = this.#body.subarray(0, this.#bodyBytes);
    }
    this.#body = undefined;
    this.#bodyBytes = 0;
    this.#lengthBytes = 0;
    return this.#open(whole);
  }

  #append(piece: Buffer): void {
    const needed = this.#bodyBytes + piece.length;
    const body = this.#roomFor(needed);
    body.set(piece, this.#bodyBytes);
    this.#body = body;
    this.#bodyBytes = needed;
  }

  #roomFor(needed: number): Buffer {
    const old = this.#body;
    if (old !== undefined && old.length >= needed) return old;
    const wanted = Math.max(needed, old === undefined ? FIRST_PIECE_BYTES : 2 * old.length);
    // Not from Node's pool: half a packet of a few bytes would keep a whole block of it.
    const body = Buffer.allocUnsafeSlow(Math.min(this.#packetBytes(), wanted));
    if (old !== undefined) body.set(old.subarray(0, this.#bodyBytes));
    return body;
  }

  #open(body: Buffer): Buffer {
    const tagStart = body.length - TAG_BYTES;
    const decipher = createDecipheriv(this.#cipher, this.#key, this.#nonce.bytes, {
      authTagLength: TAG_BYTES,
    });
    SHARED.head.writeUInt32BE(this.#length, 0);
    decipher.setAAD(SHARED.head);
    decipher.setAuthTag(body.subarray(tagStart));
    const plain = decipher.update(body.subarray(0, tagStart));
    decipher.final();
    this.#nonce.advance();
    this.inSeqno = (this.inSeqno + 1) >>> 0;
    const payloadEnd = plain.length - (plain[0] ?? 0);
    if (payloadEnd < 2) throw new Error("a packet without payload");
    const type = plain[1] ?? 0;
    if (type < LOWEST_CONNECTION_MESSAGE && body.length - TAG_BYTES > SMALL_PACKET_BYTES) {
      throw tooLarge(`with message ${type}`, body.length - TAG_BYTES);
    }
    return plain.subarray(1, payloadEnd);
  }
}

/** Whatever takes packets: until the first keys that is the library's own, with the packet that is not complete. */
export type Decipher =
  | GcmDecipher
  | {
      readonly _lenBytes?: number;
      readonly _packet?: Uint8Array | null;
      readonly _packetPos?: number;
    };

/** What has come of a packet that is not complete. */
export function halfOf(decipher: Decipher | undefined): Half {
  if (decipher instanceof GcmDecipher) return decipher.half;
  const { _lenBytes: lengthBytes = 0, _packet: packet, _packetPos: bodyBytes = 0 } = decipher ?? {};
  if (lengthBytes === 0) return NOTHING;
  return { bytes: lengthBytes + bodyBytes, memoryBytes: packet?.length ?? 0 };
}

function tooLarge(which: string, bytes: number): WireError {
  const text = `packet of ${bytes} bytes ${which}, where ${SMALL_PACKET_BYTES} are allowed`;
  return new WireError("protocol", text);
}
