import type { WireClock } from "../clock.ts";
import { LOWEST_CONNECTION_MESSAGE } from "../ssh2/bounds.ts";
import type { Half } from "../ssh2/gcmDecipher.ts";
import {
  type EngineRole,
  type MessageHandlers,
  type PayloadVerdict,
  Ssh2Engine,
} from "../ssh2/ssh2Engine.ts";
import type { OwnTurns } from "../turns.ts";
import { type CloseReason, WireError } from "../wireError.ts";
import { Backlog } from "./backlog.ts";
import type { Carrier } from "./carrier.ts";
import { Exchanges } from "./exchanges.ts";
import { IDENT_OF } from "./identification.ts";
import type { TransportLimits, TransportState } from "./transportDeps.ts";

/** Our own line of each role, as all connections share it. */
const IDENT_BYTES = {
  server: Buffer.from(IDENT_OF.server),
  client: Buffer.from(IDENT_OF.client),
} as const;

/** What a keyed stream works with. */
export interface KeyedStreamDeps {
  readonly clock: WireClock;
  readonly limits: TransportLimits;
  /** Takes the messages of the login, and the peer's goodbye. */
  readonly handlers: MessageHandlers;
  /** Whose stream it is. */
  readonly transport: Pick<TransportState, "isClosed">;
  /** Takes bytes for the peer. */
  readonly carrier: Pick<Carrier, "add">;
  /** Looks at every payload first. */
  readonly onPayload: (payload: Buffer) => PayloadVerdict;
  /** Whether the packets behind one that was taken have to wait. */
  readonly isTurnOver: () => boolean;
  /** For what goes out in later turns. */
  readonly turns: OwnTurns;
  /** It cannot go on; the peer has been told so already. */
  onFailure(reason: CloseReason): void;
  /** The first key exchange has ended. */
  onFirstKeys(): void;
  /** A later one has ended; what waited for it is on its way. */
  onNewKeys(): void;
  /** A later one did not end in time. */
  readonly onOverdue: () => void;
}

/**
 * The engine of a transport under keys that are renewed in time, by either side, but not too often.
 */
export class KeyedStream {
  readonly engine: Ssh2Engine;
  /** Messages that came from the peer, outside of key exchanges. */
  messages = 0;
  readonly #deps: KeyedStreamDeps;
  readonly #exchanges: Exchanges;
  #hasFirstKeys = false;
  #isServerKeyRefused = false;
  readonly #backlog: Backlog;

  constructor(side: EngineRole, deps: KeyedStreamDeps) {
    const { clock, limits } = deps;
    this.#deps = deps;
    this.#exchanges = new Exchanges({
      clock,
      exchangeMs: limits.handshakeMs,
      rekeyBytes: limits.rekeyBytes,
      onOverdue: deps.onOverdue,
    });
    this.engine = this.#createEngine(side);
    this.#backlog = new Backlog({
      turns: deps.turns,
      isBlocked: () => this.engine.isExchanging || deps.transport.isClosed,
      send: (payload) => this.engine.send(payload),
      onEmpty: () => deps.onNewKeys(),
    });
  }

  /** Key exchanges after the first. */
  get rekeys(): number {
    return this.#exchanges.count;
  }

  /**
   * True from our own KEXINIT until the new keys are in place and what was sent meanwhile, which
   * waits, has gone out.
   */
  get isExchanging(): boolean {
    return this.engine.isExchanging || !this.#backlog.isEmpty;
  }

  /** What has come of a packet that is not complete. */
  get half(): Half {
    return this.engine.half;
  }

  /** Memory of the peer's part in a key exchange that is running. */
  get exchangeBytes(): number {
    return this.engine.exchangeBytes;
  }

  /** What messages cost that wait for a key exchange. */
  get heldBytes(): number {
    return this.#backlog.bytes;
  }

  /** The peer has identified itself with this line: the first key exchange begins. */
  start(remoteIdent: string): void {
    this.engine.start(remoteIdent);
  }

  /**
   * Takes encrypted bytes of the peer, and answers those that have to wait. Throws when they cannot be
   * understood.
   */
  receive(bytes: Buffer): Buffer | undefined {
    const rest = this.engine.parse(bytes);
    this.#exchanges.flow(bytes.length - (rest?.length ?? 0));
    if (this.#deps.transport.isClosed || !this.#hasFirstKeys) return rest;
    if (this.#exchanges.isDue) this.rekey();
    this.#exchanges.observe(this.engine.isExchanging);
    return rest;
  }

  /** Sends one message, or keeps it while a key exchange is running. */
  send(payload: Buffer): void {
    this.#carry(payload.length);
    if (this.isExchanging) this.#backlog.add(payload);
    else this.engine.send(payload);
  }

  /** Sends CHANNEL_DATA without a copy; only while no key exchange is running. */
  sendData(channel: number, data: Buffer): void {
    this.#carry(data.length);
    this.engine.sendData(channel, data);
  }

  /** Asks the peer for new keys, unless that is under way. */
  rekey(): void {
    if (this.engine.isExchanging) return;
    this.#exchanges.startOurs();
    this.engine.rekey();
    this.#exchanges.observe(this.engine.isExchanging);
  }

  /** No key exchange is waited for any more. */
  stopWatching(): void {
    this.#exchanges.observe(false);
  }

  #carry(bytes: number): void {
    this.#exchanges.flow(bytes);
    this.#exchanges.carried(bytes);
  }

  #look(payload: Buffer): PayloadVerdict {
    this.messages += 1;
    const isCarried = (payload[0] ?? 0) >= LOWEST_CONNECTION_MESSAGE;
    if (isCarried) this.#exchanges.carried(payload.length);
    return this.#deps.onPayload(payload);
  }

  #createEngine(side: EngineRole): Ssh2Engine {
    const deps = this.#deps;
    return new Ssh2Engine(this.#watched(side), IDENT_BYTES[side.role], {
      limit: { packetBytes: deps.limits.packetBeforeLogin, isTurnOver: deps.isTurnOver },
      events: {
        onWrite: (bytes) => deps.carrier.add(bytes),
        onError: (error) => this.#failed(error),
        onExchanged: () => this.#exchanged(),
        onPayload: (payload) => this.#look(payload),
        handlers: deps.handlers,
      },
    });
  }

  /**
   * The library only says that a key exchange failed; whether for the server's key, is kept here.
   */
  #watched(side: EngineRole): EngineRole {
    if (side.role === "server") return side;
    return {
      role: "client",
      verifyServerKey: (publicKey) => {
        this.#isServerKeyRefused = !side.verifyServerKey(publicKey);
        return !this.#isServerKeyRefused;
      },
    };
  }

  #failed(error: Error): void {
    const isKeyRefused = this.#isServerKeyRefused;
    const kind = isKeyRefused ? "serverKey" : "protocol";
    const text = isKeyRefused ? "not the pinned server key" : error.message;
    this.#deps.onFailure({ kind, text });
  }

  #exchanged(): void {
    if (!this.#hasFirstKeys) {
      this.#hasFirstKeys = true;
      this.#deps.onFirstKeys();
      return;
    }
    if (!this.#exchanges.end()) throw new WireError("limit", "too many key exchanges");
    this.#backlog.drain();
  }
}
