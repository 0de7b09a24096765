import type { CipherGCMTypes } from "node:crypto";

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

/** The tag behind each packet. */
export const TAG_BYTES = 16;
/** What is encrypted is whole blocks. */
export const BLOCK_BYTES = 16;
/** The clear length in front of each packet. */
export const LENGTH_BYTES = 4;
const NONCE_BYTES = 12;

/**
 * The nonce of the next packet: four bytes that stay, and a counter of eight. It is kept as numbers:
 * a small buffer for each direction of each connection would hold a block of Node's pool each.
 */
export class Nonce {
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
    SHARED.nonce.writeInt32BE(this.#fixed, 0);
    SHARED.nonce.writeInt32BE(this.#high, 4);
    SHARED.nonce.writeInt32BE(this.#low, 8);
    return SHARED.nonce;
  }

  /** The packet is done. */
  advance(): void {
    this.#low = (this.#low + 1) | 0;
    if (this.#low === 0) this.#high = (this.#high + 1) | 0;
  }
}

/** What OpenSSL copies at once, put together for all connections in the same places. */
export const SHARED = { nonce: Buffer.alloc(NONCE_BYTES), head: Buffer.alloc(LENGTH_BYTES) };
