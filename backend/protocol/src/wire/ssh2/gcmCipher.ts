import {
  type CipherGCM,
  type CipherGCMTypes,
  createCipheriv,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from "node:crypto";
import { BLOCK_BYTES, type GcmKey, LENGTH_BYTES, Nonce, TAG_BYTES } from "./gcm.ts";

const MIN_PADDING_BYTES = 4;
/** Where the payload starts: behind the length and the padding length. */
const PAYLOAD_START = 5;
const CHANNEL_DATA = 94;
/** Type, channel and length in front of channel data. */
const DATA_HEADER_BYTES = 9;
/** Random bytes are drawn in blocks: one call to the generator serves about a thousand packets. */
const RANDOM_BLOCK_BYTES = 16_384;

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
