/**
 * Every place where we rely on the inside of ssh2 (exactly 1.17.0), so that an update of the
 * library fails here, loudly, at start-up or at the first handshake:
 *
 * 1. ciphers: `ssh2Ciphers.ts` puts our AES-GCM in place (a separate file, because it must run
 *    before the library's key exchange module loads);
 * 2. identification: ssh2 accepts only `SSH-2.0-`; it is given a stand-in line, and the true lines
 *    are put where the exchange hash reads them;
 * 3. inbound payloads: `_onPayload` is replaced, so that we see every message before the library;
 * 4. outbound payloads: its packet writer and its queue during a key exchange;
 * 5. whether a key exchange is running;
 * 6. what it keeps of a key exchange (`ssh2Exchange.ts`): its names are replaced by our own, and when
 *    it is over, its keys and its shared secret are let go; and of a packet that is not complete.
 */
import "./ssh2Ciphers.ts";
import kexModule from "ssh2/lib/protocol/kex.js";
import protocolModule from "ssh2/lib/protocol/Protocol.js";
import utilsModule from "ssh2/lib/protocol/utils.js";
import type { ServerKey } from "../serverKey.ts";
import { algorithmsFor, type Role } from "./algorithms.ts";
import { GcmCipher } from "./gcmCipher.ts";
import { type Decipher, GcmDecipher, type Half, halfOf, type PacketLimit } from "./gcmDecipher.ts";
import type { PayloadHandler } from "./ssh2Ciphers.ts";
import { forgetSecrets, type KeyExchange, keepLittle, keptBytes } from "./ssh2Exchange.ts";

/** Messages ssh2 parses for us; the first argument is its instance, which we do not need. */
export interface MessageHandlers {
  DISCONNECT?(library: unknown, code: number, text: string): void;
  SERVICE_REQUEST?(library: unknown, name: string): void;
  SERVICE_ACCEPT?(library: unknown, name: string): void;
  USERAUTH_REQUEST?(library: unknown, ...request: [string, string, string, unknown]): void;
  USERAUTH_SUCCESS?(library: unknown): void;
  USERAUTH_FAILURE?(library: unknown): void;
}

/** What an engine tells its transport. */
export interface EngineEvents {
  /** Bytes for the peer. */
  onWrite(bytes: Buffer): void;
  /** The library gave up; it has sent DISCONNECT already. */
  onError(error: Error): void;
  /** A key exchange ended, the first or a later one. */
  onExchanged(): void;
  /** Looks at every payload first; `undefined` lets the library have it, anything else stops it. */
  readonly onPayload: (payload: Buffer) => PayloadVerdict;
  readonly handlers: MessageHandlers;
}

/** `pass`: the library handles it; `taken`: done; `stop`: forget the rest of the input. */
export type PayloadVerdict = "pass" | "taken" | "stop";

/** What is different between the roles. */
export type EngineRole =
  | { readonly role: "server"; readonly serverKey: ServerKey }
  | { readonly role: "client"; verifyServerKey(publicKey: Buffer): boolean };

/** The part of ssh2's `Protocol` that we use. Names with `_` are private to the library. */
interface Ssh2Protocol {
  parse(bytes: Buffer, start: number, end: number): void;
  service(name: string): void;
  serviceAccept(name: string): void;
  authPassword(user: string, password: string): void;
  authSuccess(): void;
  authFailure(methods: string[]): void;
  rekey(): void;
  cleanup(): void;
  _identRaw: Buffer;
  _remoteIdentRaw: Buffer | undefined;
  _onPayload: PayloadHandler;
  _kexinit: Buffer | undefined;
  readonly _kex: KeyExchange | undefined;
  readonly _cipher: unknown;
  readonly _decipher: Decipher | undefined;
  readonly _packetRW: { readonly write: PacketWriter };
}

interface PacketWriter {
  readonly allocStart: number;
  readonly allocStartKEX: number;
  alloc(payloadBytes: number, evenInExchange?: boolean): Buffer;
  finalize(packet: Buffer, evenInExchange?: boolean): Buffer;
}

type ProtocolConstructor = new (config: object) => Ssh2Protocol;
type OfferConstructor = new (lists: object) => object;
type SendPacket = (protocol: Ssh2Protocol, packet: Buffer, evenInExchange?: boolean) => boolean;

const Protocol = callable<ProtocolConstructor>(protocolModule, "Protocol");
const Offer = callable<OfferConstructor>(member(kexModule, "KexInit"), "KexInit");
const sendPacket = callable<SendPacket>(member(utilsModule, "sendPacket"), "sendPacket");

/**
 * One prepared offer per role: given as plain lists, the library would change them at every use.
 */
const OFFERS: Readonly<Record<Role, object>> = {
  server: new Offer(algorithmsFor("server")),
  client: new Offer(algorithmsFor("client")),
};

/** Infinity makes the library's parser drop the rest of its input. */
const STOP = Number.POSITIVE_INFINITY;
const EMPTY = Buffer.alloc(0);
const STAND_IN_IDENT = Buffer.from("SSH-2.0-peer\r\n");

/** One ssh2 `Protocol`: bytes in, bytes out; key exchange and login messages. */
export class Ssh2Engine {
  /** The largest packet we accept now; writable, because it grows at login. */
  readonly limit: PacketLimit;
  readonly #protocol: Ssh2Protocol;
  readonly #onPayload: EngineEvents["onPayload"];
  #remoteIdent: Buffer = EMPTY;
  /** Which one keeps little by now. */
  #exchange: KeyExchange | undefined;

  constructor(side: EngineRole, localIdent: Buffer, deps: EngineDeps) {
    const { events, limit } = deps;
    this.limit = limit;
    this.#onPayload = events.onPayload;
    this.#protocol = new Protocol({
      ...roleOptions(side),
      messageHandlers: events.handlers,
      onWrite: (bytes: Buffer) => events.onWrite(bytes),
      onError: (error: Error) => events.onError(error),
      onHeader: () => {
        this.#protocol._remoteIdentRaw = this.#remoteIdent;
      },
      onHandshakeComplete: () => {
        this.#assertCiphers();
        forgetSecrets(this.#protocol._kex);
        events.onExchanged();
      },
    });
    assertFields(this.#protocol);
    this.#protocol._identRaw = localIdent;
    this.#interceptPayloads();
  }

  /** Tells the library which line the peer sent; it answers with its first key exchange message. */
  start(remoteIdent: string): void {
    this.#remoteIdent = identBytes(remoteIdent);
    this.#protocol.parse(STAND_IN_IDENT, 0, STAND_IN_IDENT.length);
  }

  /**
   * Takes encrypted bytes, and answers those that have to wait: see `PacketLimit.isTurnOver`. Throws on a
   * bad length, a bad tag, and after `free`.
   */
  parse(bytes: Buffer): Buffer | undefined {
    this.limit.rest = undefined;
    this.#protocol.parse(bytes, 0, bytes.length);
    const exchange = this.#protocol._kex;
    if (exchange !== this.#exchange && exchange !== undefined) keepLittle(exchange);
    this.#exchange = exchange;
    return this.limit.rest;
  }

  /** What has come of a packet that is not complete. */
  get half(): Half {
    return halfOf(this.#protocol._decipher);
  }

  /** Memory of the peer's part in a key exchange, until that is over. */
  get exchangeBytes(): number {
    return keptBytes(this.#protocol._kex);
  }

  /** True from our own KEXINIT until the new keys are in place; what is sent meanwhile waits. */
  get isExchanging(): boolean {
    return this.#protocol._kexinit !== undefined;
  }

  /** Starts a key exchange unless one is running. */
  rekey(): void {
    this.#protocol.rekey();
  }

  /** Sends one message, or queues it while a key exchange is running. */
  send(payload: Buffer): void {
    const writer = this.#protocol._packetRW.write;
    const start = writer.allocStart;
    const packet = writer.alloc(payload.length);
    packet.set(payload, start);
    sendPacket(this.#protocol, writer.finalize(packet));
  }

  /** Sends one message even while a key exchange is running (only DISCONNECT may). */
  sendNow(payload: Buffer): void {
    const writer = this.#protocol._packetRW.write;
    const packet = writer.alloc(payload.length, true);
    packet.set(payload, writer.allocStartKEX);
    sendPacket(this.#protocol, writer.finalize(packet, true), true);
  }

  /** CHANNEL_DATA without a copy; only to be called while no key exchange is running. */
  sendData(channel: number, data: Buffer): void {
    const cipher = this.#protocol._cipher;
    if (cipher instanceof GcmCipher) cipher.encryptData(channel, data);
  }

  requestService(name: string): void {
    this.#protocol.service(name);
  }

  acceptService(name: string): void {
    this.#protocol.serviceAccept(name);
  }

  sendPassword(user: string, password: string): void {
    this.#protocol.authPassword(user, password);
  }

  acceptLogin(): void {
    this.#protocol.authSuccess();
  }

  refuseLogin(): void {
    this.#protocol.authFailure(["password"]);
  }

  /** Ends the engine; later calls throw. */
  free(): void {
    this.#protocol.cleanup();
  }

  #interceptPayloads(): void {
    const library = this.#protocol._onPayload;
    const intercepted: PayloadHandler = (payload) => {
      const verdict = this.#onPayload(payload);
      if (verdict === "stop") return STOP;
      return verdict === "pass" ? library(payload) : undefined;
    };
    intercepted.limit = this.limit;
    this.#protocol._onPayload = intercepted;
  }

  #assertCiphers(): void {
    const { _cipher: cipher, _decipher: decipher } = this.#protocol;
    if (cipher instanceof GcmCipher && decipher instanceof GcmDecipher) return;
    throw new Error(
      "ssh2 was loaded before wire/ssh2/ssh2Ciphers.ts, or builds its ciphers differently",
    );
  }
}

/** Nearly all peers send the same line: it is kept once, and not in a block of Node's pool each. */
const lastIdent: { line: string; bytes: Buffer } = { line: "", bytes: EMPTY };

function identBytes(line: string): Buffer {
  if (line !== lastIdent.line) {
    lastIdent.bytes = Buffer.alloc(line.length, line, "latin1");
    lastIdent.line = line;
  }
  return lastIdent.bytes;
}

/** What an engine is connected to. */
export interface EngineDeps {
  readonly events: EngineEvents;
  readonly limit: PacketLimit;
}

function roleOptions(side: EngineRole): object {
  if (side.role === "server") {
    return {
      server: true,
      offer: OFFERS.server,
      hostKeys: { [side.serverKey.type]: side.serverKey },
    };
  }
  return {
    server: false,
    offer: OFFERS.client,
    hostVerifier: (publicKey: Buffer) => side.verifyServerKey(publicKey),
  };
}

function assertFields(protocol: Ssh2Protocol): void {
  const writer = protocol._packetRW?.write;
  const isAsExpected =
    Buffer.isBuffer(protocol._identRaw) &&
    "_remoteIdentRaw" in protocol &&
    "_kexinit" in protocol &&
    "_cipher" in protocol &&
    "_decipher" in protocol &&
    typeof protocol._onPayload === "function" &&
    typeof writer?.alloc === "function" &&
    typeof writer.finalize === "function" &&
    typeof writer.allocStart === "number" &&
    typeof writer.allocStartKEX === "number";
  if (!isAsExpected) throw new Error("ssh2's Protocol has other fields than 1.17.0");
}

function member(module: unknown, name: string): unknown {
  return (module as Record<string, unknown> | null)?.[name];
}

function callable<T>(value: unknown, name: string): T {
  if (typeof value !== "function") throw new Error(`ssh2 no longer exports ${name}`);
  return value as T;
}
