import type { WireClock } from "../clock.ts";
import type { OnFault } from "../contain.ts";
import type { HeldBytes } from "../held.ts";
import type { ServerKey } from "../serverKey.ts";
import { SMALL_PACKET_BYTES } from "../ssh2/bounds.ts";
import type { Turns } from "../turns.ts";
import type { CloseReason, WireError } from "../wireError.ts";
import type { ServerLogin } from "./login.ts";

/** Decides when to work on what came before the login; in the order of the calls. */
export type Pace = (work: () => void) => void;

/** What a transport allows; sizes in bytes, times in milliseconds. */
export interface TransportLimits {
  /** From the start to the login, and for every later key exchange. */
  handshakeMs: number;
  /** Refused passwords (and other methods, but not `none`) before the connection is ended. */
  authAttempts: number;
  /** Everything received before the login; a real login takes about 3 kB. */
  bytesBeforeLogin: number;
  /** One packet before the login. */
  packetBeforeLogin: number;
  /** One packet of the connection after the login, until `Transport.allowPackets` says otherwise. */
  packetAfterLogin: number;
  /**
   * In which a packet, or a message of the WebSocket, of which the first byte has come is complete, or gets
   * 64 KiB more (`halves.ts`); up to twice as long.
   */
  halfMs: number;
  /** Data in both directions after which we ask for new keys (RFC 4253 9 says one gigabyte). */
  rekeyBytes: number;
}

/** A packet is its payload and this at the most: lengths, padding, a tag. */
export const PACKET_SLACK_BYTES = 1 << 10;

/** The limits of an RPort server, tightened where anybody can reach us. */
export const DEFAULT_LIMITS: TransportLimits = {
  handshakeMs: 30_000,
  authAttempts: 6,
  bytesBeforeLogin: 64 << 10,
  packetBeforeLogin: SMALL_PACKET_BYTES,
  packetAfterLogin: (256 << 10) + PACKET_SLACK_BYTES,
  halfMs: 300_000,
  rekeyBytes: 2 ** 30,
};

/** What both roles may be given. */
export interface TransportTuning {
  readonly clock?: WireClock | undefined;
  readonly limits?: Partial<TransportLimits> | undefined;
  /** Told what callbacks of ours threw; the connection, and nothing else, has ended by then. */
  readonly onFault?: OnFault | undefined;
  /** What is held for all connections of the process; without it, this one is alone. */
  readonly held?: HeldBytes | undefined;
  /** Shares the time among all connections of the process; without it, this one is alone. */
  readonly turns?: Turns | undefined;
}

/** The backend's end. */
export interface ServerTransportDeps extends TransportTuning {
  readonly serverKey: ServerKey;
  readonly login: ServerLogin;
  /** Decides when to work on what came before the login; in the order of the calls. */
  readonly pace?: Pace | undefined;
  /** The first key exchange has ended. */
  readonly onKeys?: (() => void) | undefined;
}

/** The agent's end. */
export interface ClientTransportDeps extends TransportTuning {
  readonly user: string;
  readonly password: string;
  /** Asked before the password leaves, and again at every key exchange. */
  readonly verifyServerKey: (publicKey: Buffer) => boolean;
}

/** One of the two ends. */
export type TransportSide =
  | ({ readonly role: "server" } & ServerTransportDeps)
  | ({ readonly role: "client" } & ClientTransportDeps);

/** Who has logged in, and the line the peer identified itself with. */
export interface Login {
  readonly user: string;
  readonly remoteIdent: string;
}

/** What happened on a transport so far. */
export interface TransportCounters {
  /** Key exchanges after the first. */
  readonly rekeys: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Where a transport stands, as its parts see it. */
export interface TransportState {
  /** True between the login and the end. */
  readonly isReady: boolean;
  readonly isClosed: boolean;
  /** The peer broke a rule: the connection ends. */
  fail(error: WireError): void;
}

/** The layer above: gets messages of number 80 and up, and is told about room and the end. */
export interface TransportListener {
  onMessage(payload: Buffer): void;
  /** There is room again after `notifyDrain`. */
  onDrain(): void;
  onClose(reason: CloseReason): void;
}
