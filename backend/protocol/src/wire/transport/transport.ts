import type { WebSocket } from "ws";
import { SYSTEM_CLOCK, type WireClock, type WireTimer } from "../clock.ts";
import { encodeDisconnect } from "../connection/messages.ts";
import { type Deferred, deferred } from "../deferred.ts";
import type { Role } from "../ssh2/algorithms.ts";
import { type EngineRole, type PayloadVerdict, Ssh2Engine } from "../ssh2/ssh2Engine.ts";
import { type CloseReason, peerText, WireError } from "../wireError.ts";
import { Exchanges } from "./exchanges.ts";
import { CLIENT_IDENT, IdentificationReader, SERVER_IDENT } from "./identification.ts";
import { DISCONNECT, LoginClient, LoginServer } from "./login.ts";
import { Mailbox } from "./mailbox.ts";
import { Outbox } from "./outbox.ts";
import type {
  ClientOptions,
  Login,
  ServerOptions,
  TransportCounters,
  TransportLimits,
  TransportListener,
} from "./transportOptions.ts";
import { closeWebSocket, liftMessageLimit, webSocketFailure } from "./websocket.ts";
import { isAllowedBeforeLogin, ruleAfterLogin } from "./whiteList.ts";

export type { ServerLogin } from "./login.ts";
export type {
  ClientOptions,
  Login,
  ServerOptions,
  TransportCounters,
  TransportLimits,
  TransportListener,
} from "./transportOptions.ts";

/** The limits of an RPort server, tightened where anybody can reach us. */
export const DEFAULT_LIMITS: TransportLimits = {
  handshakeMs: 30_000,
  authAttempts: 6,
  bytesBeforeLogin: 64 << 10,
  packetBeforeLogin: 35_000,
  packetAfterLogin: (16 << 20) + 1024,
  rekeyBytes: 2 ** 30,
};

/** A message may hold several packets and their framing. */
const MESSAGE_SLACK_BYTES = 64 << 10;
const LOWEST_CONNECTION_MESSAGE = 80;
/**
 * Streams stop long before; only answers and notices of ours pile up to this, when a peer asks and
 * does not read.
 */
const UNSENT_LIMIT_BYTES = 16 << 20;

/** The server's end of an SSH connection over an open WebSocket. */
export function serverTransport(ws: WebSocket, options: ServerOptions): Transport {
  return new Transport(ws, { role: "server", ...options });
}

/** The client's end; `ws` may still be connecting. */
export function clientTransport(ws: WebSocket, options: ClientOptions): Transport {
  return new Transport(ws, { role: "client", ...options });
}

type Side = ({ role: "server" } & ServerOptions) | ({ role: "client" } & ClientOptions);

/**
 * SSH over one WebSocket: identification, key exchange, password login, then messages both ways.
 * It lives until the WebSocket closes, a rule is broken, or `close` is called, and closes the
 * WebSocket with it.
 */
export class Transport {
  /** Resolves at login; rejects with a `WireError` when the connection ends before. */
  readonly ready: Promise<Login>;
  /** Resolves once, with the reason, when the connection has ended for whatever cause. */
  readonly closed: Promise<CloseReason>;
  readonly role: Role;
  readonly #ws: WebSocket;
  readonly #limits: TransportLimits;
  /** The clock this connection lives by. */
  readonly clock: WireClock;
  readonly #engine: Ssh2Engine;
  readonly #login: LoginServer | LoginClient;
  readonly #outbox: Outbox;
  readonly #mailbox = new Mailbox();
  readonly #exchanges: Exchanges;
  readonly #readyPromise: Deferred<Login> = deferred();
  readonly #closedPromise: Deferred<CloseReason> = deferred();
  readonly #handshakeTimer: WireTimer;
  readonly #pace: ServerOptions["pace"];
  readonly #onKeys: ServerOptions["onKeys"];
  #identification: IdentificationReader | undefined = new IdentificationReader();
  #remoteIdent = "";
  #phase: "handshake" | "ready" | "closed" = "handshake";
  #hasFirstKeys = false;
  #isServerKeyRefused = false;
  #isWaiting = false;
  #bytesIn = 0;
  #waitingInputs = 0;
  /** Payloads the library keeps until the running key exchange ends. */
  #heldBytes = 0;

  constructor(ws: WebSocket, side: Side) {
    this.ready = this.#readyPromise.promise;
    this.ready.catch(() => {});
    this.closed = this.#closedPromise.promise;
    this.role = side.role;
    this.#ws = ws;
    this.#limits = { ...DEFAULT_LIMITS, ...side.limits };
    this.clock = side.clock ?? SYSTEM_CLOCK;
    if (side.role === "server") [this.#pace, this.#onKeys] = [side.pace, side.onKeys];
    this.#outbox = new Outbox(ws, () => this.#drained());
    this.#exchanges = new Exchanges({
      clock: this.clock,
      exchangeMs: this.#limits.handshakeMs,
      rekeyBytes: this.#limits.rekeyBytes,
      onOverdue: () => this.#endLate("a key exchange did not end in time"),
    });
    this.#login = this.#createLogin(side);
    this.#engine = this.#createEngine(side);
    this.#handshakeTimer = this.clock.after(this.#limits.handshakeMs, () =>
      this.#endLate("the peer did not log in in time"),
    );
    this.#attach();
  }

  get counters(): TransportCounters {
    return {
      rekeys: this.#exchanges.count,
      bytesIn: this.#bytesIn,
      bytesOut: this.#outbox.bytesOut,
    };
  }

  /** True between the login and the end. */
  get isReady(): boolean {
    return this.#phase === "ready";
  }

  get isClosed(): boolean {
    return this.#phase === "closed";
  }

  /** True while what is sent would only queue up: streams should wait for `onDrain`. */
  get isCongested(): boolean {
    return this.#engine.isExchanging || this.#outbox.isCongested;
  }

  /** Asks for one `onDrain` as soon as there is room. */
  notifyDrain(): void {
    this.#isWaiting = true;
  }

  /** Sets the layer above; messages that came before are delivered at once. */
  listen(listener: TransportListener): void {
    const early = this.#mailbox.listen(listener);
    for (const payload of early) {
      if (this.isClosed) return;
      this.#guard(() => listener.onMessage(payload));
    }
    if (early.length > 0) this.resume();
  }

  /** Sends one message of the connection layer; does nothing once closed. */
  send(payload: Buffer): void {
    if (this.#phase === "closed") return;
    if (this.#phase === "handshake") throw new WireError("local", "sent before the login");
    this.#exchanges.flow(payload.length);
    if (this.#engine.isExchanging) this.#heldBytes += payload.length;
    this.#engine.send(payload);
    if (this.#outbox.queuedBytes + this.#heldBytes > UNSENT_LIMIT_BYTES) {
      this.#end({ kind: "limit", text: "the peer does not read what it is sent" });
    }
  }

  /** Sends CHANNEL_DATA without copying; only while `isCongested` is false. */
  sendData(channel: number, data: Buffer): void {
    if (this.#phase !== "ready") return;
    this.#exchanges.flow(data.length);
    this.#engine.sendData(channel, data);
  }

  /** Stops reading from the peer, all channels included. */
  pause(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.pause();
  }

  /** Reads again after `pause`. */
  resume(): void {
    if (this.#ws.isPaused) this.#ws.resume();
  }

  /** Asks the peer for new keys. */
  rekey(): void {
    if (this.#phase !== "ready" || this.#engine.isExchanging) return;
    this.#exchanges.startOurs();
    this.#engine.rekey();
    this.#exchanges.observe(this.#engine.isExchanging);
  }

  /** Says goodbye with `reason`, which the peer will see, and ends the connection. */
  close(reason: string, code: number = DISCONNECT.byApplication): void {
    this.#end({ kind: "local", text: reason }, code);
  }

  /** The layer above saw the peer break a rule. */
  fail(error: WireError): void {
    this.#end({ kind: error.kind, text: error.message }, DISCONNECT.protocolError);
  }

  #createLogin(side: Side): LoginServer | LoginClient {
    const events = {
      engine: () => this.#engine,
      onLogin: (user: string) => this.#guard(() => this.#becomeReady(user)),
      onFailure: (kind: CloseReason["kind"], text: string, code: number) =>
        this.#end({ kind, text }, code),
    };
    if (side.role === "client") return new LoginClient(side, events);
    return new LoginServer(side.login, this.#limits.authAttempts, events);
  }

  #createEngine(side: Side): Ssh2Engine {
    const engineRole: EngineRole =
      side.role === "server"
        ? side
        : { role: "client", verifyServerKey: (key) => this.#verifyServerKey(side, key) };
    return new Ssh2Engine(engineRole, side.role === "server" ? SERVER_IDENT : CLIENT_IDENT, {
      limit: { packetBytes: this.#limits.packetBeforeLogin },
      events: {
        onWrite: (bytes) => this.#outbox.add(bytes),
        onError: (error) => this.#endByLibrary(error),
        onExchanged: () => this.#exchanged(),
        onPayload: (payload) => this.#judge(payload),
        handlers: {
          ...this.#login.handlers,
          DISCONNECT: (_library, code, text) =>
            this.#end({ kind: "remote", text: peerText(text) || `disconnected with code ${code}` }),
        },
      },
    });
  }

  #attach(): void {
    const ws = this.#ws;
    ws.binaryType = "fragments";
    ws.on("message", (data: Buffer | Buffer[]) => {
      for (const bytes of Array.isArray(data) ? data : [data]) this.#input(bytes);
    });
    ws.on("error", (error: Error) => this.#end(webSocketFailure(error)));
    ws.on("close", () => this.#end({ kind: "lost", text: "the connection was lost" }));
    const ident = this.role === "server" ? SERVER_IDENT : CLIENT_IDENT;
    this.#outbox.add(Buffer.from(`${ident}\r\n`));
    if (ws.readyState === ws.OPEN) this.#outbox.open();
    else ws.once("open", () => this.#outbox.open());
  }

  #verifyServerKey(options: ClientOptions, publicKey: Buffer): boolean {
    this.#isServerKeyRefused = !options.verifyServerKey(publicKey);
    return !this.#isServerKeyRefused;
  }

  #input(bytes: Buffer): void {
    if (this.isClosed || bytes.length === 0) return;
    this.#bytesIn += bytes.length;
    if (this.#phase === "handshake" && this.#bytesIn > this.#limits.bytesBeforeLogin) {
      const text = "too many bytes before the login";
      this.#end({ kind: "limit", text }, DISCONNECT.protocolError);
      return;
    }
    const parse = (): void => this.#guard(() => this.#parse(bytes));
    // What comes behind something that waits has to wait, too.
    if (this.#pace === undefined || (this.isReady && this.#waitingInputs === 0)) {
      parse();
      return;
    }
    this.#waitingInputs += 1;
    this.#pace(() => {
      this.#waitingInputs -= 1;
      if (!this.isClosed) parse();
    });
  }

  #parse(bytes: Buffer): void {
    const encrypted = this.#identification === undefined ? bytes : this.#identify(bytes);
    if (encrypted === undefined || encrypted.length === 0) return;
    this.#exchanges.flow(encrypted.length);
    this.#engine.parse(encrypted);
    if (this.isClosed || !this.#hasFirstKeys) return;
    if (this.#exchanges.isDue) this.rekey();
    this.#exchanges.observe(this.#engine.isExchanging);
  }

  /** Answers the bytes behind the peer's identification, once that is complete. */
  #identify(bytes: Buffer): Buffer | undefined {
    const result = this.#identification?.feed(bytes);
    if (result === undefined || result.kind === "incomplete") return;
    if (result.kind === "refused") throw new WireError("protocol", result.text);
    this.#identification = undefined;
    this.#remoteIdent = result.ident;
    this.#engine.start(result.ident);
    return result.rest;
  }

  /** Runs something that deals with the peer's bytes; whatever it throws ends the connection. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (error instanceof WireError) {
        this.fail(error);
        return;
      }
      // The peer learns only texts of our own; this one may come from anywhere.
      if (!this.isClosed) this.#sayGoodbye(DISCONNECT.protocolError, "protocol error");
      const text = error instanceof Error ? error.message : "unreadable input";
      this.#end({ kind: "protocol", text });
    }
  }

  #judge(payload: Buffer): PayloadVerdict {
    if (this.#phase === "closed") return "stop";
    const type = payload[0] ?? 0;
    if (this.#phase === "handshake") {
      if (isAllowedBeforeLogin(this.role, type)) return "pass";
      throw new WireError("protocol", `message ${type} before the login`);
    }
    if (type >= LOWEST_CONNECTION_MESSAGE) {
      if (!this.#mailbox.deliver(payload)) this.pause();
      return this.isClosed ? "stop" : "taken";
    }
    const verdict = ruleAfterLogin(this.role, type);
    if (verdict === "refused") throw new WireError("protocol", `unexpected message ${type}`);
    return verdict;
  }

  #exchanged(): void {
    if (!this.#hasFirstKeys) {
      this.#hasFirstKeys = true;
      if (this.#login instanceof LoginClient) this.#login.begin();
      this.#onKeys?.();
      return;
    }
    this.#heldBytes = 0;
    if (!this.#exchanges.end()) throw new WireError("limit", "too many key exchanges");
    this.#drained();
  }

  #becomeReady(user: string): void {
    if (this.#phase !== "handshake") return;
    this.#phase = "ready";
    this.#handshakeTimer.cancel();
    this.#engine.limit.packetBytes = this.#limits.packetAfterLogin;
    liftMessageLimit(this.#ws, this.#limits.packetAfterLogin + MESSAGE_SLACK_BYTES);
    this.#readyPromise.resolve({ user, remoteIdent: this.#remoteIdent });
  }

  #drained(): void {
    if (!this.#isWaiting || this.isClosed || this.isCongested) return;
    this.#isWaiting = false;
    this.#mailbox.listener?.onDrain();
  }

  #endByLibrary(error: Error): void {
    const kind = this.#isServerKeyRefused ? "serverKey" : "protocol";
    this.#end({
      kind,
      text: this.#isServerKeyRefused ? "not the pinned server key" : error.message,
    });
  }

  #endLate(text: string): void {
    this.#end({ kind: "timeout", text }, DISCONNECT.byApplication);
  }

  #end(reason: CloseReason, code?: number): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#handshakeTimer.cancel();
    this.#exchanges.observe(false);
    if (this.#login instanceof LoginServer) this.#login.end();
    if (code !== undefined) this.#sayGoodbye(code, reason.text);
    this.#outbox.flush();
    this.#engine.free();
    this.#mailbox.clear();
    closeWebSocket(this.#ws, this.clock);
    this.#readyPromise.reject(WireError.because(reason));
    this.#closedPromise.resolve(reason);
    this.#mailbox.listener?.onClose(reason);
  }

  #sayGoodbye(code: number, text: string): void {
    try {
      this.#engine.sendNow(encodeDisconnect(code, text));
    } catch {
      // The library has ended itself and said goodbye already.
    }
  }
}
