import { createCipheriv, createHmac } from "node:crypto";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { Duplex } from "node:stream";
import { connect } from "node:tls";

/** The one suite that is offered, so that what follows is known. */
const SUITE = "TLS_AES_128_GCM_SHA256";
const KEY_BYTES = 16;
const IV_BYTES = 12;
const HASH_BYTES = 32;
const TAG_BYTES = 16;
/** A message that brings new keys, and asks for none in return (RFC 8446, 4.6.3). */
const KEY_UPDATE = Buffer.from([24, 0, 0, 1, 0]);
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

/** A connection by TLS 1.3 whose records are made here, because Node makes only those that it needs. */
export interface OwnRecords extends Disposable {
  /** A record of what is to be said. */
  said(text: string): Buffer;
  /** So many records with nothing but new keys. */
  keyUpdates(count: number): Buffer;
  /** Sends records, which have to be in the order in which they were made. */
  send(...records: readonly Buffer[]): void;
  /** Resolves with what the server says next. */
  answer(): Promise<string>;
}

/** Shakes hands with the server at a port of 127.0.0.1, from the address given. */
export async function ownRecords(port: number, localAddress: string): Promise<OwnRecords> {
  const raw = connectPlain({ port, host: "127.0.0.1", localAddress });
  raw.on("error", () => {});
  // Not the socket itself: Node would take what is written to it away from us.
  const below = Duplex.from({ readable: raw, writable: raw });
  const options = { minVersion: "TLSv1.3", ciphers: SUITE, rejectUnauthorized: false } as const;
  const tls = connect({ socket: below, ...options });
  tls.on("error", () => {});
  let sealer = new Sealer(Buffer.alloc(0));
  tls.on("keylog", (line: Buffer) => {
    const [label, , value = ""] = line.toString("latin1").trim().split(" ");
    if (label === "CLIENT_TRAFFIC_SECRET_0") sealer = new Sealer(Buffer.from(value, "hex"));
  });
  // The server's tickets come when it has the last message of the handshake, which ours must not overtake.
  await Promise.all([once(tls, "secureConnect"), once(tls, "session")]);
  const keyUpdate = (): Buffer => {
    const record = sealer.seal(KEY_UPDATE, HANDSHAKE);
    sealer = sealer.next();
    return record;
  };
  return {
    said: (text) => sealer.seal(Buffer.from(text), APPLICATION_DATA),
    keyUpdates: (count) => Buffer.concat(Array.from({ length: count }, keyUpdate)),
    send: (...records) => void raw.write(Buffer.concat(records)),
    answer: async () => String((await once(tls, "data"))[0]),
    [Symbol.dispose]: () => void raw.destroy(),
  };
}

/** Makes records of one secret. */
class Sealer {
  readonly #secret: Buffer;
  readonly #key: Buffer;
  readonly #iv: Buffer;
  #count = 0;

  constructor(secret: Buffer) {
    this.#secret = secret;
    this.#key = expand(secret, "key", KEY_BYTES);
    this.#iv = expand(secret, "iv", IV_BYTES);
  }

  /** The one that comes after new keys. */
  next(): Sealer {
    return new Sealer(expand(this.#secret, "traffic upd", HASH_BYTES));
  }

  seal(content: Buffer, type: number): Buffer {
    const inner = Buffer.concat([content, Buffer.from([type])]);
    const head = Buffer.from([APPLICATION_DATA, 3, 3, 0, 0]);
    head.writeUInt16BE(inner.length + TAG_BYTES, 3);
    const nonce = Buffer.from(this.#iv);
    nonce.writeUInt32BE((nonce.readUInt32BE(IV_BYTES - 4) ^ this.#count) >>> 0, IV_BYTES - 4);
    this.#count += 1;
    const cipher = createCipheriv("aes-128-gcm", this.#key, nonce);
    cipher.setAAD(head);
    const sealed = Buffer.concat([cipher.update(inner), cipher.final()]);
    return Buffer.concat([head, sealed, cipher.getAuthTag()]);
  }
}

/** HKDF-Expand-Label (RFC 8446, 7.1), for no more than one hash. */
function expand(secret: Buffer, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = [Buffer.from([0, bytes, name.length]), name, Buffer.from([0, 1])];
  return createHmac("sha256", secret).update(Buffer.concat(info)).digest().subarray(0, bytes);
}
