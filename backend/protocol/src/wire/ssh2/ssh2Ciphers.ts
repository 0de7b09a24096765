/**
 * Touch point 1 of 6 with ssh2: its two cipher factories are replaced by ours for AES-GCM.
 * `kex.js` copies the factories when it loads, so this module must run before it does: it is the
 * first import of `ssh2Engine.ts`, which also checks the class of every negotiated cipher.
 */
import type { CipherGCMTypes } from "node:crypto";
import cryptoModule from "ssh2/lib/protocol/crypto.js";
import { SMALL_PACKET_BYTES } from "./bounds.ts";
import { GcmCipher } from "./gcmCipher.ts";
import { GcmDecipher, type PacketLimit } from "./gcmDecipher.ts";

/** The function ssh2 hands every decrypted payload to; ours carries the limit of its connection. */
export interface PayloadHandler {
  (payload: Buffer): unknown;
  limit?: PacketLimit;
}

interface CipherInfo {
  readonly sslName: string;
}

interface InboundConfig {
  readonly seqno: number;
  readonly decipherInfo: CipherInfo;
  readonly decipherKey: Buffer;
  readonly decipherIV: Buffer;
  readonly onPayload: PayloadHandler;
}

interface OutboundConfig {
  readonly seqno: number;
  readonly cipherInfo: CipherInfo;
  readonly cipherKey: Buffer;
  readonly cipherIV: Buffer;
  readonly onWrite: (packet: Buffer) => void;
}

interface CryptoModule {
  createCipher(config: { outbound: OutboundConfig }): unknown;
  createDecipher(config: { inbound: InboundConfig }): unknown;
}

/** ssh2's own packet limit, for connections that are not ours. */
const FOREIGN_LIMIT: PacketLimit = { packetBytes: SMALL_PACKET_BYTES };

function isGcm(name: string): name is CipherGCMTypes {
  return name === "aes-128-gcm" || name === "aes-256-gcm";
}

function isCryptoModule(value: unknown): value is CryptoModule {
  if (typeof value !== "object" || value === null) return false;
  const { createCipher, createDecipher } = value as Partial<CryptoModule>;
  return typeof createCipher === "function" && typeof createDecipher === "function";
}

function replaceFactories(module: unknown): void {
  if (!isCryptoModule(module)) throw new Error("ssh2 keeps its ciphers elsewhere than expected");
  const { createCipher, createDecipher } = module;
  module.createCipher = (config) => {
    const { seqno, cipherInfo, cipherKey, cipherIV, onWrite } = config.outbound;
    if (!isGcm(cipherInfo.sslName)) return createCipher(config);
    const material = { cipher: cipherInfo.sslName, key: cipherKey, iv: cipherIV, seqno };
    return new GcmCipher(material, onWrite);
  };
  module.createDecipher = (config) => {
    const { seqno, decipherInfo, decipherKey, decipherIV, onPayload } = config.inbound;
    if (!isGcm(decipherInfo.sslName)) return createDecipher(config);
    const material = { cipher: decipherInfo.sslName, key: decipherKey, iv: decipherIV, seqno };
    return new GcmDecipher(material, onPayload.limit ?? FOREIGN_LIMIT, onPayload);
  };
}

replaceFactories(cryptoModule);
