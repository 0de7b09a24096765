import type { WebSocket } from "ws";
import { SYSTEM_CLOCK, type WireClock } from "../clock.ts";
import type { OnFault } from "../contain.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { HeldBytes, type HeldShare } from "../held.ts";
import type { Role } from "../ssh2/algorithms.ts";
import type { PayloadVerdict } from "../ssh2/ssh2Engine.ts";
import { type OwnTurns, Turns } from "../turns.ts";
import { type CloseReason, peerText, WireError } from "../wireError.ts";
import { Carrier } from "./carrier.ts";
import { DISCONNECT, faultOf, sayGoodbye } from "./disconnect.ts";
import { Handshake } from "./handshake.ts";
import { IDENT_OF } from "./identification.ts";
import { Intake } from "./intake.ts";
import { KeyedStream } from "./keyedStream.ts";
import { LoginClient, LoginServer, loginOf } from "./login.ts";
import { Mailbox } from "./mailbox.ts";
import {
  DEFAULT_LIMITS,
  type Login,
  type ServerTransportDeps,
  type TransportCounters,
  type TransportLimits,
  type TransportListener,
  type TransportSide,
} from "./transportDeps.ts";
import { destinationOf } from "./whiteList.ts";

/**
 * SSH over one WebSocket: identification, key exchange, password login, then messages both ways.
 * It ends with the WebSocket, with a broken rule and at `close`, and the WebSocket with it.
 */
export class Transport {
  /** Resolves at login; rejects with a `WireError` when the connection ends before. */
  readonly ready: Promise<Login>;
  /** Resolves once, with the reason, when the connection has ended for whatever cause. */
  readonly closed: Promise<CloseReason>;
  readonly role: Role;
  /** What is held for this connection. */
  readonly held: HeldShare;
  /** When it is worked for. */
  readonly turns: OwnTurns;
  readonly #limits: TransportLimits;
  /** The clock this connection lives by. */
  readonly clock: WireClock;
  readonly #stream: KeyedStream;
  readonly #login: LoginServer | LoginClient;
  readonly #carrier: Carrier;
  readonly #mailbox = new Mailbox();
  readonly #intake: Intake;
  readonly #closedPromise: Deferred<CloseReason> = deferred();
  readonly #handshake: Handshake;
  #onKeys: ServerTransportDeps["onKeys"];
  #phase: "handshake" | "ready" | "closed" = "handshake";

  constructor(ws: WebSocket, side: TransportSide) {
    this.closed = this.#closedPromise.promise;
    this.role = side.role;
    this.#limits = { ...DEFAULT_LIMITS, ...side.limits };
    this.clock = side.clock ?? SYSTEM_CLOCK;
    this.#handshake = new Handshake(this.clock, this.#limits.handshakeMs, () =>
      this.#endLate("the peer did not log in in time"),
    );
    this.ready = this.#handshake.login;
    this.held = (side.held ?? new HeldBytes()).open(() => this.#endFull());
    this.turns = this.#createTurns(side);
    this.#carrier = this.#createCarrier(ws, side.onFault);
    this.#login = this.#createLogin(side);
    this.#stream = this.#createStream(side);
    this.#intake = this.#createIntake(side.role === "server" ? side.pace : undefined);
    this.#onKeys = side.role === "server" ? side.onKeys : undefined;
    this.#carrier.add(Buffer.from(`${IDENT_OF[side.role]}\r\n`));
  }

  get counters(): TransportCounters {
    return {
      rekeys: this.#stream.rekeys,
      bytesIn: this.#intake.bytes,
      bytesOut: this.#carrier.bytesOut,
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
    return this.#stream.isExchanging || this.#carrier.isCongested;
  }

  /** The largest packet that is taken now. */
  get packetBytes(): number {
    return this.#stream.engine.limit.packetBytes;
  }

  /** Takes packets of up to so many bytes from now on. */
  allowPackets(bytes: number): void {
    this.#stream.engine.limit.packetBytes = bytes;
    this.#carrier.liftPacketLimit(bytes);
  }

  /** Asks for one `onDrain` as soon as there is room. */
  notifyDrain(): void {
    this.#mailbox.isWaiting = true;
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
    this.#stream.send(payload);
    this.#unsent(this.#carrier.queuedBytes);
  }

  /** Sends CHANNEL_DATA without copying; only while `isCongested` is false. */
  sendData(channel: number, data: Buffer): void {
    if (this.#phase === "ready") this.#stream.sendData(channel, data);
  }

  /** Stops reading from the peer, all channels included. */
  pause(): void {
    this.#intake.pause();
  }

  /** Reads again after `pause`. */
  resume(): void {
    this.#intake.resume();
  }

  /** Asks the peer for new keys. */
  rekey(): void {
    if (this.#phase === "ready") this.#stream.rekey();
  }

  /** Says goodbye with `reason`, which the peer will see, and ends the connection. */
  close(reason: string, code: number = DISCONNECT.byApplication): void {
    this.#end({ kind: "local", text: reason }, code);
  }

  /** The layer above saw the peer break a rule. */
  fail(error: WireError): void {
    this.#end(faultOf(error).reason, DISCONNECT.protocolError);
  }

  #createTurns({ turns, onFault }: TransportSide): OwnTurns {
    const all = turns ?? new Turns({ clock: this.clock, onFault });
    return all.own(
      () => this.held.group ?? "",
      (work) => this.#guard(work),
    );
  }

  #createCarrier(ws: WebSocket, onFault: OnFault | undefined): Carrier {
    return new Carrier(ws, {
      onBytes: (bytes) => this.#intake.take(bytes),
      onDrain: () => this.#drained(),
      onUnsent: (bytes) => this.#unsent(bytes),
      onMessage: () => this.#intake.count(),
      onHalf: (bytes) => this.#intake.beginMessage(bytes),
      onEnd: (reason) => this.#end(reason),
      onFault: (error) => {
        this.close("internal error");
        onFault?.(error);
      },
    });
  }

  #createLogin(side: TransportSide): LoginServer | LoginClient {
    return loginOf(side, this.#limits.authAttempts, {
      engine: () => this.#stream.engine,
      onLogin: (user) => this.#guard(() => this.#becomeReady(user)),
      onFailure: (kind, text, code) => this.#end({ kind, text }, code),
    });
  }

  #createStream(side: TransportSide): KeyedStream {
    return new KeyedStream(side, {
      clock: this.clock,
      limits: this.#limits,
      handlers: {
        ...this.#login.handlers,
        DISCONNECT: (_library, code, text) =>
          this.#end({ kind: "remote", text: peerText(text) || `disconnected with code ${code}` }),
      },
      transport: this,
      carrier: this.#carrier,
      onPayload: (payload) => this.#judge(payload),
      isTurnOver: () => this.#intake.isTurnOver,
      turns: this.turns,
      onFailure: (reason) => this.#end(reason),
      onFirstKeys: () => this.#keyed(),
      onNewKeys: () => this.#drained(),
      onOverdue: () => this.#endLate("a key exchange did not end in time"),
    });
  }

  #createIntake(pace: ServerTransportDeps["pace"]): Intake {
    const deps = {
      clock: this.clock,
      limits: this.#limits,
      transport: this,
      stream: this.#stream,
      carrier: this.#carrier,
      turns: this.turns,
      held: this.held,
      guard: (action: () => void) => this.#guard(action),
    };
    return new Intake(deps, pace);
  }

  /** Runs something that deals with the peer's bytes; whatever it throws ends the connection. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      const { reason, told } = faultOf(error);
      this.#end(reason, DISCONNECT.protocolError, told);
    }
  }

  #judge(payload: Buffer): PayloadVerdict {
    if (this.#phase === "closed") return "stop";
    switch (destinationOf(payload[0] ?? 0, this.role, this.isReady)) {
      case "library":
        return "pass";
      case "nowhere":
        return "taken";
      case "above":
        if (!this.#mailbox.deliver(payload)) this.pause();
        return this.isClosed ? "stop" : "taken";
    }
  }

  #keyed(): void {
    if (this.#login instanceof LoginClient) this.#login.begin();
    this.#onKeys?.();
    this.#onKeys = undefined;
  }

  #becomeReady(user: string): void {
    if (this.#phase !== "handshake") return;
    this.#phase = "ready";
    this.allowPackets(this.#limits.packetAfterLogin);
    this.#handshake.succeed({ user, remoteIdent: this.#intake.remoteIdent });
  }

  #drained(): void {
    if (!this.isClosed && !this.isCongested) this.#mailbox.drain();
  }

  /** Streams stop long before; only answers and notices pile up, when a peer does not read. */
  #unsent(queuedBytes: number): void {
    const bytes = queuedBytes + this.#stream.heldBytes;
    if (bytes <= this.held.max) this.held.set("unsent", bytes);
    else this.#end({ kind: "limit", text: "the peer does not read what it is sent" });
  }

  /** All connections together hold too much, and this one most. */
  #endFull(): void {
    this.#end({ kind: "limit", text: "too much is held for this connection" });
    this.#carrier.cut();
  }

  #endLate(text: string): void {
    this.#end({ kind: "timeout", text }, DISCONNECT.byApplication);
  }

  #end(reason: CloseReason, code?: number, told = reason.text): void {
    if (this.#phase === "closed") return;
    const { isReady } = this;
    this.#phase = "closed";
    this.#stream.stopWatching();
    this.#intake.stopWatching();
    if (this.#login instanceof LoginServer) this.#login.end();
    if (code !== undefined) sayGoodbye(this.#stream.engine, code, told);
    this.#stream.engine.free();
    this.#mailbox.clear();
    this.held.close();
    this.#carrier.close(this.clock, isReady ? undefined : this.#limits.bytesBeforeLogin);
    if (!isReady) this.#handshake.fail(WireError.because(reason));
    this.#closedPromise.resolve(reason);
    this.#mailbox.listener?.onClose(reason);
  }
}
