import {
  type CipherGCM,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from "node:crypto";
import { WireError } from "../wireError.ts";

/**
 * AES-GCM packets (RFC 5647, with OpenSSH's nonces): 4 bytes of clear length, then encrypted
 * padding length, payload and padding, then the tag. One buffer per packet, in both directions.
 */

/** Key material of one direction, as the key exchange derives it. */
export interface GcmKey {
  readonly cipher: CipherGCMTypes;
  readonly key: Buffer;
  readonly iv: Buffer;
  /** Number of the next packet; counted for the key exchange, not used by GCM. */
  readonly seqno: number;
}

/** The largest packet a peer may send now; the transport raises it at login. */
export interface PacketLimit {
  packetBytes: number;
  /** Asked between two packets: whether what comes behind has to wait; undefined: nothing ever has to. */
  readonly isTurnOver?: (() => boolean) | undefined;
  /** What has to wait of the bytes that were given last; undefined: nothing. */
  rest?: Buffer | undefined;
}

const TAG_BYTES = 16;
const BLOCK_BYTES = 16;
const NONCE_BYTES = 12;
const LENGTH_BYTES = 4;
const MIN_PADDING_BYTES = 4;
/** Where the payload starts: behind the length and the padding length. */
const PAYLOAD_START = 5;
const CHANNEL_DATA = 94;
/** Type, channel and length in front of channel data. */
const DATA_HEADER_BYTES = 9;
/** Memory for a packet is taken in growing pieces from here, as its bytes arrive. */
const FIRST_PIECE_BYTES = 1 << 20;
/** Random bytes are drawn in blocks: one call to the generator serves about a thousand packets. */
const RANDOM_BLOCK_BYTES = 16_384;

/**
 * The nonce of the next packet: four bytes that stay, and a counter of eight. It is kept as numbers:
 * a small buffer for each direction of each connection would hold a block of Node's pool each.
 */
class Nonce {
  readonly #fixed: number;
  #high: number;
  #low: number;

  constructor(iv: Buffer) {
    this.#fixed = iv.readInt32BE(0);
    this.#high = iv.readInt32BE(4);
    this.#low = iv.readInt32BE(8);
  }

  /** Its bytes, good until anybody's next call. */
  get bytes(): Buffer {
    shared.nonce.writeInt32BE(this.#fixed, 0);
    shared.nonce.writeInt32BE(this.#high, 4);
    shared.nonce.writeInt32BE(this.#low, 8);
    return shared.nonce;
  }

  /** The packet is done. */
  advance(): void {
    this.#low = (this.#low + 1) | 0;
    if (this.#low === 0) this.#high = (this.#high + 1) | 0;
  }
}

/** What OpenSSL copies at once, put together for all connections in the same places. */
const shared = { nonce: Buffer.alloc(NONCE_BYTES), head: Buffer.alloc(LENGTH_BYTES) };

/** Encrypts packets and hands each to `onWrite` as one buffer. */
export class GcmCipher {
  outSeqno: number;
  readonly #onWrite: (packet: Buffer) => void;
  readonly #cipher: CipherGCMTypes;
  readonly #key: KeyObject;
  readonly #nonce: Nonce;
  #dead = false;

  constructor(material: GcmKey, onWrite: (packet: Buffer) => void) {
    this.outSeqno = material.seqno;
    this.#onWrite = onWrite;
    this.#cipher = material.cipher;
    this.#key = createSecretKey(material.key);
    this.#nonce = new Nonce(material.iv);
  }

  free(): void {
    this.#dead = true;
  }

  /** A packet for `payloadBytes`, which the caller writes at offset 5. */
  allocPacket(payloadBytes: number): Buffer {
    const padding = paddingFor(payloadBytes);
    const packet = Buffer.allocUnsafe(PAYLOAD_START + payloadBytes + padding + TAG_BYTES);
    packet.writeUInt32BE(1 + payloadBytes + padding, 0);
    packet[LENGTH_BYTES] = padding;
    fillPadding(packet, PAYLOAD_START + payloadBytes, padding);
    return packet;
  }

  /** Encrypts a packet made by `allocPacket` in place and sends it. */
  encrypt(packet: Buffer): void {
    if (this.#dead) return;
    const end = packet.length - TAG_BYTES;
    const cipher = this.#begin(packet);
    packet.set(cipher.update(packet.subarray(LENGTH_BYTES, end)), LENGTH_BYTES);
    this.#finish(cipher, packet);
  }

  /** CHANNEL_DATA straight from the data, which is not copied into a packet first. */
  encryptData(channel: number, data: Buffer): void {
    if (this.#dead) return;
    const packet = this.allocPacket(DATA_HEADER_BYTES + data.length);
    const dataStart = PAYLOAD_START + DATA_HEADER_BYTES;
    packet[PAYLOAD_START] = CHANNEL_DATA;
    packet.writeUInt32BE(channel, PAYLOAD_START + 1);
    packet.writeUInt32BE(data.length, PAYLOAD_START + 5);
    const paddingStart = dataStart + data.length;
    const cipher = this.#begin(packet);
    packet.set(cipher.update(packet.subarray(LENGTH_BYTES, dataStart)), LENGTH_BYTES);
    packet.set(cipher.update(data), dataStart);
    const padding = packet.subarray(paddingStart, packet.length - TAG_BYTES);
    packet.set(cipher.update(padding), paddingStart);
    this.#finish(cipher, packet);
  }

  #begin(packet: Buffer): CipherGCM {
    const cipher = createCipheriv(this.#cipher, this.#key, this.#nonce.bytes);
    cipher.setAAD(packet.subarray(0, LENGTH_BYTES));
    return cipher;
  }

  #finish(cipher: CipherGCM, packet: Buffer): void {
    cipher.final();
    packet.set(cipher.getAuthTag(), packet.length - TAG_BYTES);
    this.#nonce.advance();
    this.outSeqno = (this.outSeqno + 1) >>> 0;
    this.#onWrite(packet);
  }
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
  /** The clear length in front of a packet, as far as it has come. */
  #length = 0;
  #lengthBytes = 0;
  #body: Buffer | undefined;
  #bodyBytes = 0;

  constructor(material: GcmKey, limit: PacketLimit, onPayload: (payload: Buffer) => unknown) {
    this.inSeqno = material.seqno;
    this._onPayload = onPayload;
    this.#cipher = material.cipher;
    this.#key = createSecretKey(material.key);
    this.#nonce = new Nonce(material.iv);
    this.#limit = limit;
  }

  free(): void {
    this.#body = undefined;
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
    if (length <= packetBytes) return;
    throw new WireError("size", `packet of ${length} bytes, where ${packetBytes} are allowed`);
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
    this.#body ??= Buffer.allocUnsafe(Math.min(this.#packetBytes(), FIRST_PIECE_BYTES));
    if (this.#body.length < needed) this.#grow(needed);
    this.#body.set(piece, this.#bodyBytes);
    this.#bodyBytes = needed;
  }

  #grow(needed: number): void {
    const old = this.#body;
    const size = Math.min(this.#packetBytes(), Math.max(needed, 2 * (old?.length ?? 0)));
    this.#body = Buffer.allocUnsafe(size);
    if (old !== undefined) this.#body.set(old.subarray(0, this.#bodyBytes));
  }

  #open(body: Buffer): Buffer {
    const tagStart = body.length - TAG_BYTES;
    const decipher = createDecipheriv(this.#cipher, this.#key, this.#nonce.bytes, {
      authTagLength: TAG_BYTES,
    });
    shared.head.writeUInt32BE(this.#length, 0);
    decipher.setAAD(shared.head);
    decipher.setAuthTag(body.subarray(tagStart));
    const plain = decipher.update(body.subarray(0, tagStart));
    decipher.final();
    this.#nonce.advance();
    this.inSeqno = (this.inSeqno + 1) >>> 0;
    const payloadEnd = plain.length - (plain[0] ?? 0);
    if (payloadEnd < 2) throw new Error("a packet without payload");
    return plain.subarray(1, payloadEnd);
  }
}

/** Padding so that everything behind the length is whole blocks, at least four bytes. */
function paddingFor(payloadBytes: number): number {
  const padding = BLOCK_BYTES - ((1 + payloadBytes) % BLOCK_BYTES);
  return padding < MIN_PADDING_BYTES ? padding + BLOCK_BYTES : padding;
}

/** A pool of bytes that are used once; shared, because it carries nothing from packet to packet. */
const randomPool = { bytes: Buffer.alloc(RANDOM_BLOCK_BYTES), used: RANDOM_BLOCK_BYTES };

function fillPadding(packet: Buffer, start: number, length: number): void {
  if (randomPool.used + length > RANDOM_BLOCK_BYTES) {
    randomFillSync(randomPool.bytes);
    randomPool.used = 0;
  }
  packet.set(randomPool.bytes.subarray(randomPool.used, randomPool.used + length), start);
  randomPool.used += length;
}
