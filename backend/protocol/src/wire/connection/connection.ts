import type { Transport } from "../transport/transport.ts";
import { type CloseReason, WireError } from "../wireError.ts";
import type { Channel } from "./channel.ts";
import type { ChannelDecision } from "./channelDecision.ts";
import { Channels } from "./channels.ts";
import { decodeMessage, encodeMessage, type Message } from "./messages.ts";
import { assertPayload, IncomingRequests, OutgoingRequests, type Reply } from "./requests.ts";

export type { ChannelDecision } from "./channelDecision.ts";

/** What the owner of a connection decides. */
export interface ConnectionDeps {
  /** Whether new channels know half-close; may be set later, when the peer's features are known. */
  readonly halfClose?: boolean;
  /** Channels that are open at once, both directions together. */
  readonly maxChannels?: number;
  /**
   * Answers the peer's requests, one after the other. Throw `RequestRefused` to refuse with a text.
   * A handler must not wait for a reply of the same peer unless the peer sends few requests.
   */
  onRequest(
    name: string,
    payload: Buffer,
    wantReply: boolean,
  ): Promise<Buffer | undefined> | Buffer | undefined;
  /** Decides about a channel the peer opens; `extra` is what it said with it. */
  /** May take a while, but bounds itself how many openings wait for it. */
  onOpen(type: string, extra: Buffer): ChannelDecision | Promise<ChannelDecision>;
  /** Told what `onRequest` (other than `RequestRefused`), `onOpen` or `accept` threw. */
  onFault?(error: unknown, name: string): void;
}

/** Time a peer gets to answer a request. */
const REPLY_TIMEOUT_MS = 30_000;
/** Enough for any host; an unlimited peer could fill our memory with channels. */
const MAX_CHANNELS = 4_096;
const EMPTY = Buffer.alloc(0);

/**
 * The connection layer over a transport, the same in both roles: requests with replies, and
 * channels as streams.
 */
export class Connection {
  /** Resolves once, when the connection has ended for whatever cause. */
  readonly closed: Promise<CloseReason>;
  readonly transport: Transport;
  readonly #deps: ConnectionDeps;
  readonly #outgoing: OutgoingRequests;
  readonly #incoming: IncomingRequests;
  /** From the first on: most connections have none. */
  #channels: Channels | undefined;
  #halfClose: boolean;

  constructor(transport: Transport, deps: ConnectionDeps) {
    this.transport = transport;
    this.closed = transport.closed;
    this.#deps = deps;
    this.#outgoing = this.#createOutgoing();
    this.#incoming = this.#createIncoming();
    this.#halfClose = deps.halfClose ?? false;
    transport.listen({
      onMessage: (payload) => this.#receive(payload),
      onDrain: () => this.#channels?.pump(),
      onClose: (reason) => this.#end(reason),
    });
  }

  /** Whether channels opened from now on know half-close. */
  get halfClose(): boolean {
    return this.#halfClose;
  }

  set halfClose(isKnown: boolean) {
    this.#halfClose = isKnown;
    if (this.#channels !== undefined) this.#channels.halfClose = isKnown;
  }

  /** Open channels, and those that are being opened. */
  get channelCount(): number {
    return this.#channels?.count ?? 0;
  }

  /** Tells the peer something that wants no reply. Throws when the payload is too large. */
  notify(name: string, payload: Buffer): void {
    assertPayload(payload);
    this.#send({ kind: "globalRequest", name, wantReply: false, payload });
  }

  /**
   * Asks the peer; requests go out one at a time, in order. Rejects when the payload is too large
   * or the connection ends. An overdue reply ends the connection.
   */
  async request(
    name: string,
    payload: Buffer = EMPTY,
    timeoutMs: number = REPLY_TIMEOUT_MS,
  ): Promise<Reply> {
    assertPayload(payload);
    this.#assertReady();
    return await this.#outgoing.add({ name, payload, timeoutMs });
  }

  /** Opens a channel; rejects with the peer's text when it refuses, or when the connection ends. */
  async open(type: string, extra: Buffer): Promise<Channel> {
    assertPayload(extra);
    this.#assertReady();
    return await this.#ownChannels().open(type, extra);
  }

  /** Says goodbye with a reason the peer will see, and ends everything. */
  close(reason: string): void {
    this.transport.close(reason);
  }

  #createOutgoing(): OutgoingRequests {
    return new OutgoingRequests({
      clock: this.transport.clock,
      send: (name, payload) =>
        this.#send({ kind: "globalRequest", name, wantReply: true, payload }),
      onOverdue: (name) =>
        this.transport.fail(new WireError("timeout", `no reply to ${name} in time`)),
    });
  }

  #createIncoming(): IncomingRequests {
    const { transport } = this;
    return new IncomingRequests({
      handle: ({ name, payload, wantReply }) => this.#deps.onRequest(name, payload, wantReply),
      answer: ({ ok, payload }) =>
        this.#send({ kind: ok ? "globalSuccess" : "globalFailure", payload }),
      onFault: (error, name) => this.#deps.onFault?.(error, name),
      abort: (error) => {
        transport.close("internal error");
        this.#deps.onFault?.(error, "answer");
      },
      peer: transport,
    });
  }

  #ownChannels(): Channels {
    const deps = this.#deps;
    this.#channels ??= new Channels({
      transport: this.transport,
      halfClose: this.#halfClose,
      maxChannels: deps.maxChannels ?? MAX_CHANNELS,
      onOpen: (type, extra) => deps.onOpen(type, extra),
      onFault: (error, type) => deps.onFault?.(error, type),
    });
    return this.#channels;
  }

  #send(message: Message): void {
    this.transport.send(encodeMessage(message));
  }

  #assertReady(): void {
    if (this.transport.isReady) return;
    if (this.transport.isClosed) throw new WireError("lost", "the connection has ended");
    throw new WireError("local", "nobody has logged in yet");
  }

  #receive(payload: Buffer): void {
    const message = decodeMessage(payload);
    if (message === undefined) throw new WireError("protocol", `unknown message ${payload[0]}`);
    switch (message.kind) {
      case "globalRequest":
        this.#incoming.add(message);
        break;
      case "globalSuccess":
      case "globalFailure":
        this.#outgoing.settle({
          ok: message.kind === "globalSuccess",
          payload: message.payload,
        });
        break;
      case "ping":
        assertPayload(message.payload);
        this.#send({ kind: "pong", payload: message.payload });
        break;
      case "pong":
        break;
      default:
        this.#ownChannels().receive(message);
    }
  }

  #end(reason: CloseReason): void {
    this.#incoming.end();
    // An error costs a look at the stack, and thousands may end at once with nothing open.
    if (this.#outgoing.isIdle && this.#channels === undefined) return;
    const error = WireError.because(reason);
    this.#outgoing.end(error);
    this.#channels?.end(error);
  }
}
