import { Channel, type ChannelHost, MAX_DATA_BYTES, WINDOW_BYTES } from "./channel.ts";
import { SYSTEM_CLOCK, type WireClock } from "./clock.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { decodeMessage, encodeMessage, type Message } from "./messages.ts";
import { assertPayload, IncomingRequests, OutgoingRequests, type Reply } from "./requests.ts";
import type { Transport } from "./transport.ts";
import { type CloseReason, WireError } from "./wireError.ts";

/** The answer to a peer that opens a channel. */
export type ChannelDecision =
  | {
      /** Called with the channel after it was confirmed. */
      readonly accept: (channel: Channel) => void;
    }
  | {
      /** The text the peer gets with its refusal. */
      readonly refuse: string;
    };

/** What the owner of a connection decides. */
export interface ConnectionOptions {
  /** Whether new channels know half-close; may be set later, when the peer's features are known. */
  readonly halfClose?: boolean;
  /** Channels at once, both directions together. */
  readonly maxChannels?: number;
  readonly clock?: WireClock;
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
  onOpen(type: string, extra: Buffer): ChannelDecision;
  /** Told when `onRequest` threw something else than `RequestRefused`. */
  onFault?(error: unknown, name: string): void;
}

/** Time a peer gets to answer a request. */
const REPLY_TIMEOUT_MS = 30_000;
/** Enough for any host; an unlimited peer could fill our memory with channels. */
const MAX_CHANNELS = 10_000;
/** The smallest packet size a peer may ask for: smaller ones would be all header. */
const SMALLEST_MAX_PACKET = 9;
/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED and SSH_OPEN_RESOURCE_SHORTAGE (RFC 4254 5.1). */
const PROHIBITED = 1;
const SHORTAGE = 4;
const EMPTY = Buffer.alloc(0);

type MessageOf<K extends Message["kind"]> = Extract<Message, { kind: K }>;
type Handlers = { [K in Message["kind"]]: (message: MessageOf<K>) => void };

interface Opening {
  readonly type: string;
  readonly channel: Deferred<Channel>;
}

/**
 * The connection layer over a transport, the same in both roles: requests with replies, and
 * channels as streams.
 */
export class Connection {
  /** Resolves once, when the connection has ended for whatever cause. */
  readonly closed: Promise<CloseReason>;
  /** Whether channels opened from now on know half-close. */
  halfClose: boolean;
  readonly transport: Transport;
  readonly #options: ConnectionOptions;
  readonly #maxChannels: number;
  readonly #outgoing: OutgoingRequests;
  readonly #incoming: IncomingRequests;
  readonly #channels = new Map<number, Channel>();
  readonly #openings = new Map<number, Opening>();
  readonly #waitingForRoom = new Set<Channel>();
  readonly #host: ChannelHost;
  #nextId = 0;

  constructor(transport: Transport, options: ConnectionOptions) {
    this.transport = transport;
    this.closed = transport.closed;
    this.halfClose = options.halfClose ?? false;
    this.#options = options;
    this.#maxChannels = options.maxChannels ?? MAX_CHANNELS;
    this.#outgoing = this.#createOutgoing(options.clock ?? SYSTEM_CLOCK);
    this.#incoming = this.#createIncoming();
    this.#host = this.#createHost();
    transport.listen({
      onMessage: (payload) => this.#receive(payload),
      onDrain: () => this.#pumpChannels(),
      onClose: (reason) => this.#end(WireError.because(reason)),
    });
  }

  /** Open channels, and those that are being opened. */
  get channelCount(): number {
    return this.#channels.size + this.#openings.size;
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
    this.#assertOpen();
    return await this.#outgoing.add({ name, payload, timeoutMs });
  }

  /** Opens a channel; rejects with the peer's text when it refuses, or when the connection ends. */
  async open(type: string, extra: Buffer): Promise<Channel> {
    assertPayload(extra);
    this.#assertOpen();
    if (this.channelCount >= this.#maxChannels) {
      throw new WireError("limit", "too many channels on this connection");
    }
    const sender = this.#freeId();
    const channel = deferred<Channel>();
    this.#openings.set(sender, { type, channel });
    const sizes = { window: WINDOW_BYTES, maxPacket: MAX_DATA_BYTES };
    this.#send({ kind: "open", type, sender, ...sizes, extra });
    return await channel.promise;
  }

  /** Says goodbye with a reason the peer will see, and ends everything. */
  close(reason: string): void {
    this.transport.close(reason);
  }

  #createOutgoing(clock: WireClock): OutgoingRequests {
    return new OutgoingRequests({
      clock,
      send: (name, payload) =>
        this.#send({ kind: "globalRequest", name, wantReply: true, payload }),
      onOverdue: (name) =>
        this.transport.fail(new WireError("timeout", `no reply to ${name} in time`)),
    });
  }

  #createIncoming(): IncomingRequests {
    const { transport } = this;
    return new IncomingRequests({
      handle: ({ name, payload, wantReply }) => this.#options.onRequest(name, payload, wantReply),
      answer: ({ ok, payload }) =>
        this.#send({ kind: ok ? "globalSuccess" : "globalFailure", payload }),
      onFault: (error, name) => this.#options.onFault?.(error, name),
      pause: () => transport.pause(),
      resume: () => transport.resume(),
    });
  }

  #createHost(): ChannelHost {
    const { transport } = this;
    return {
      get isCongested() {
        return transport.isCongested;
      },
      waitForRoom: (channel) => {
        this.#waitingForRoom.add(channel);
        transport.notifyDrain();
      },
      send: (message) => this.#send(message),
      sendData: (recipient, data) => transport.sendData(recipient, data),
      forget: (channel) => this.#forget(channel),
    };
  }

  #send(message: Message): void {
    this.transport.send(encodeMessage(message));
  }

  #assertOpen(): void {
    if (this.transport.isClosed) throw new WireError("lost", "the connection has ended");
  }

  #receive(payload: Buffer): void {
    const message = decodeMessage(payload);
    if (message === undefined) throw new WireError("protocol", `unknown message ${payload[0]}`);
    // The map has one handler per kind, each for its own message; TypeScript cannot correlate them.
    const handle = this.#handlers[message.kind] as (message: Message) => void;
    handle(message);
  }

  readonly #handlers: Handlers = {
    globalRequest: (message) => this.#incoming.add(message),
    globalSuccess: ({ payload }) => this.#outgoing.settle({ ok: true, payload }),
    globalFailure: ({ payload }) => this.#outgoing.settle({ ok: false, payload }),
    open: (message) => this.#decide(message),
    openConfirmation: (message) => this.#confirm(message),
    openFailure: (message) => this.#refused(message),
    windowAdjust: ({ recipient, bytes }) => this.#channel(recipient).receiveWindow(bytes),
    data: ({ recipient, data }) => this.#channel(recipient).receive(data),
    extendedData: ({ recipient, data }) => this.#channel(recipient).receiveExtended(data),
    eof: ({ recipient }) => this.#channel(recipient).receiveEof(),
    close: ({ recipient }) => this.#channel(recipient).receiveClose(),
    channelRequest: (message) => this.#channel(message.recipient).receiveRequest(message),
    channelSuccess: ({ recipient }) => this.#channel(recipient).receiveReply(true),
    channelFailure: ({ recipient }) => this.#channel(recipient).receiveReply(false),
    ping: ({ payload }) => this.#send({ kind: "pong", payload }),
    pong: () => {},
  };

  #channel(id: number): Channel {
    const channel = this.#channels.get(id);
    if (channel === undefined) throw new WireError("protocol", "a message for an unknown channel");
    return channel;
  }

  #decide(open: MessageOf<"open">): void {
    if (this.channelCount >= this.#maxChannels || open.maxPacket < SMALLEST_MAX_PACKET) {
      this.#refuse(open.sender, SHORTAGE, "too many channels, or packets too small");
      return;
    }
    const decision = this.#options.onOpen(open.type, open.extra);
    if ("refuse" in decision) {
      this.#refuse(open.sender, PROHIBITED, decision.refuse);
      return;
    }
    const channel = this.#addChannel(this.#freeId(), open.type, open);
    const sizes = { window: WINDOW_BYTES, maxPacket: MAX_DATA_BYTES };
    const confirmation = { recipient: open.sender, sender: channel.id, ...sizes };
    this.#send({ kind: "openConfirmation", ...confirmation });
    decision.accept(channel);
  }

  #refuse(recipient: number, code: number, text: string): void {
    this.#send({ kind: "openFailure", recipient, code, text });
  }

  #confirm(message: MessageOf<"openConfirmation">): void {
    const opening = this.#takeOpening(message.recipient);
    if (message.maxPacket < SMALLEST_MAX_PACKET) {
      throw new WireError("protocol", "channel packets too small");
    }
    opening.channel.resolve(this.#addChannel(message.recipient, opening.type, message));
  }

  #refused(message: MessageOf<"openFailure">): void {
    const text = message.text || "the peer refused the channel";
    this.#takeOpening(message.recipient).channel.reject(new WireError("refused", text));
  }

  #takeOpening(id: number): Opening {
    const opening = this.#openings.get(id);
    if (opening === undefined) throw new WireError("protocol", "an answer to no channel opening");
    this.#openings.delete(id);
    return opening;
  }

  #addChannel(id: number, type: string, peer: MessageOf<"open" | "openConfirmation">): Channel {
    const { sender, window, maxPacket } = peer;
    const terms = { id, remoteId: sender, type, window, maxPacket, halfClose: this.halfClose };
    const channel = new Channel(this.#host, terms);
    this.#channels.set(id, channel);
    return channel;
  }

  #freeId(): number {
    while (this.#channels.has(this.#nextId) || this.#openings.has(this.#nextId)) this.#advanceId();
    const id = this.#nextId;
    this.#advanceId();
    return id;
  }

  #advanceId(): void {
    this.#nextId = (this.#nextId + 1) >>> 0;
  }

  #forget(channel: Channel): void {
    if (channel.isOver) this.#channels.delete(channel.id);
    this.#waitingForRoom.delete(channel);
  }

  #pumpChannels(): void {
    const waiting = [...this.#waitingForRoom];
    this.#waitingForRoom.clear();
    for (const channel of waiting) channel.pump();
  }

  #end(error: WireError): void {
    this.#outgoing.end(error);
    this.#incoming.end();
    for (const opening of this.#openings.values()) opening.channel.reject(error);
    for (const channel of this.#channels.values()) channel.abandon(error);
    this.#openings.clear();
    this.#channels.clear();
    this.#waitingForRoom.clear();
  }
}
