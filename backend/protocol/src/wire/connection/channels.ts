import { type Deferred, deferred } from "../deferred.ts";
import type { Transport } from "../transport/transport.ts";
import { peerText, WireError } from "../wireError.ts";
import { Channel, type ChannelHost, type ChannelTerms, MAX_DATA_BYTES } from "./channel.ts";
import type { ChannelDecision } from "./channelDecision.ts";
import { encodeMessage, type Message } from "./messages.ts";
import type { Room } from "./room.ts";
import { Rooms } from "./rooms.ts";
import { Senders } from "./senders.ts";

/** What the channels of a connection work with. */
export interface ChannelsDeps {
  readonly transport: Transport;
  readonly halfClose: boolean;
  /** That are open, or being opened; see `ENDING_PART`. */
  readonly maxChannels: number;
  /** May take a while, but bounds itself how many openings wait for it. */
  onOpen(type: string, extra: Buffer): ChannelDecision | Promise<ChannelDecision>;
  /** Told what `onOpen` or `accept` threw. */
  onFault(error: unknown, type: string): void;
}

/** Messages about channels. */
export type ChannelMessage = Exclude<Message, { kind: `global${string}` | "ping" | "pong" }>;

type MessageOf<K extends Message["kind"]> = Extract<Message, { kind: K }>;
type OpeningKind = "open" | "openConfirmation" | "openFailure";

/**
 * The smallest packet size a peer may ask for, in bytes: with smaller ones, a little data would be a lot
 * of packets, each of which costs us the same. OpenSSH and Go ask for 32 KiB.
 */
const SMALLEST_MAX_PACKET = 1 << 10;
/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED and SSH_OPEN_RESOURCE_SHORTAGE (RFC 4254 5.1). */
const PROHIBITED = 1;
const SHORTAGE = 4;
/**
 * So many more there may be, in parts of the maximum, as long as they only wait for the peer to close
 * them, too, or to be read: short connections come faster than the peer says that the last ones are over.
 */
const ENDING_PART = 1 / 4;
interface Opening {
  readonly type: string;
  /** What the peer may send once it is open. */
  readonly room: Room;
  readonly channel: Deferred<Channel>;
}

/** The channels of one connection: their numbers, opening in both directions, and back pressure. */
export class Channels {
  /** Whether channels opened from now on know half-close. */
  halfClose: boolean;
  readonly #deps: ChannelsDeps;
  readonly #channels = new Map<number, Channel>();
  readonly #openings = new Map<number, Opening>();
  readonly #senders: Senders;
  /** Numbers of those that we have closed and the peer has not yet. */
  readonly #closing = new Set<number>();
  readonly #host: ChannelHost;
  /** From the first channel on: most connections have none. */
  #rooms: Rooms | undefined;
  #nextId = 0;
  #hasEnded = false;

  constructor(deps: ChannelsDeps) {
    this.#deps = deps;
    this.halfClose = deps.halfClose;
    this.#senders = new Senders(deps.transport);
    this.#host = this.#createHost();
  }

  /** Open channels, those that are being opened, and those that are over and not read yet. */
  get count(): number {
    return Math.max(this.#channels.size + this.#openings.size, this.#rooms?.count ?? 0);
  }

  /** Asks the peer for a channel; rejects with its text when it refuses. */
  async open(type: string, extra: Buffer): Promise<Channel> {
    const room = this.#takeRoom();
    if (room === undefined) throw new WireError("limit", "too many channels on this connection");
    const sender = this.#freeId();
    const channel = deferred<Channel>();
    this.#openings.set(sender, { type, room, channel });
    const terms = { window: room.bytes, maxPacket: MAX_DATA_BYTES };
    this.#send({ kind: "open", type, sender, ...terms, extra });
    return await channel.promise;
  }

  /** Takes a message of the peer. Throws when the peer broke a rule. */
  receive(message: ChannelMessage): void {
    switch (message.kind) {
      case "open":
        this.#decide(message);
        break;
      case "openConfirmation":
        this.#confirm(message);
        break;
      case "openFailure":
        this.#refused(message);
        break;
      default:
        this.#dispatch(message);
    }
  }

  /** There is room again. */
  pump(): void {
    this.#senders.pump();
  }

  /** The connection has ended. */
  end(error: WireError): void {
    this.#hasEnded = true;
    for (const opening of this.#openings.values()) opening.channel.reject(error);
    for (const channel of this.#channels.values()) channel.abandon(error);
    this.#openings.clear();
    this.#channels.clear();
    this.#closing.clear();
    this.#senders.clear();
  }

  #createHost(): ChannelHost {
    const { transport } = this.#deps;
    return {
      held: transport.held,
      get isCongested() {
        return transport.isCongested;
      },
      turns: transport.turns,
      waitForRoom: (channel) => this.#senders.waitForRoom(channel),
      waitForTurn: (channel) => this.#senders.waitForTurn(channel),
      send: (message) => this.#send(message),
      sendData: (recipient, data) => transport.sendData(recipient, data),
      forget: (channel) => {
        if (channel.isOver) this.#channels.delete(channel.id);
        if (channel.isOver) this.#closing.delete(channel.id);
        else this.#closing.add(channel.id);
        this.#senders.forget(channel);
      },
    };
  }

  #send(message: Message): void {
    this.#deps.transport.send(encodeMessage(message));
  }

  #dispatch(message: Exclude<ChannelMessage, { kind: OpeningKind }>): void {
    const channel = this.#channels.get(message.recipient);
    if (channel === undefined) {
      if (this.#isLateAdjust(message)) return;
      throw new WireError("protocol", `a message (${message.kind}) for an unknown channel`);
    }
    switch (message.kind) {
      case "windowAdjust":
        channel.receiveWindow(message.bytes);
        break;
      case "data":
        channel.receive(message.data);
        break;
      case "extendedData":
        channel.receiveExtended(message.data);
        break;
      case "eof":
        channel.receiveEof();
        break;
      case "close":
        channel.receiveClose();
        break;
      case "channelRequest":
        channel.receiveRequest(message);
        break;
      case "channelSuccess":
      case "channelFailure":
        channel.receiveReply(message.kind === "channelSuccess");
        break;
    }
  }

  /** Some peers still give room on a channel they have closed; OpenSSH ignores it, too. */
  #isLateAdjust(message: ChannelMessage): boolean {
    return message.kind === "windowAdjust" && message.recipient < this.#nextId;
  }

  #decide(open: MessageOf<"open">): void {
    const decision = this.#decision(open);
    if (decision instanceof Promise) void this.#decideLater(open, decision);
    else this.#obey(open, decision);
  }

  async #decideLater(open: MessageOf<"open">, later: Promise<ChannelDecision>): Promise<void> {
    const decision = await later.catch((error: unknown) => this.#failed(open, error));
    if (this.#hasEnded) return;
    try {
      this.#obey(open, decision);
    } catch (error) {
      this.#deps.onFault(error, open.type);
    }
  }

  #obey(open: MessageOf<"open">, decision: ChannelDecision): void {
    if ("refuse" in decision) {
      this.#refuse(open.sender, decision.code ?? PROHIBITED, decision.refuse);
      return;
    }
    const room = open.maxPacket < SMALLEST_MAX_PACKET ? undefined : this.#takeRoom();
    if (room === undefined) {
      this.#refuse(open.sender, SHORTAGE, "too many channels, or packets too small");
      return;
    }
    const channel = this.#add({ id: this.#freeId(), type: open.type, room }, open);
    const numbers = { recipient: open.sender, sender: channel.id };
    const terms = { window: room.bytes, maxPacket: MAX_DATA_BYTES };
    this.#send({ kind: "openConfirmation", ...numbers, ...terms });
    try {
      decision.accept(channel);
    } catch (error) {
      this.#deps.onFault(error, open.type);
      channel.destroy();
    }
  }

  #decision(open: MessageOf<"open">): ReturnType<ChannelsDeps["onOpen"]> {
    try {
      return this.#deps.onOpen(open.type, open.extra);
    } catch (error) {
      return this.#failed(open, error);
    }
  }

  #failed({ type }: MessageOf<"open">, error: unknown): ChannelDecision {
    this.#deps.onFault(error, type);
    return { refuse: "internal error" };
  }

  #refuse(recipient: number, code: number, text: string): void {
    this.#send({ kind: "openFailure", recipient, code, text });
  }

  #confirm(message: MessageOf<"openConfirmation">): void {
    const { type, room, channel } = this.#opening(message.recipient);
    if (message.maxPacket < SMALLEST_MAX_PACKET) {
      throw new WireError("protocol", `channel packets below ${SMALLEST_MAX_PACKET} bytes`);
    }
    this.#openings.delete(message.recipient);
    channel.resolve(this.#add({ id: message.recipient, type, room }, message));
  }

  #refused(message: MessageOf<"openFailure">): void {
    const text = peerText(message.text) || "the peer refused the channel";
    const { room, channel } = this.#opening(message.recipient);
    this.#openings.delete(message.recipient);
    room.release();
    channel.reject(new WireError("refused", text));
  }

  #opening(id: number): Opening {
    const opening = this.#openings.get(id);
    if (opening === undefined) throw new WireError("protocol", "an answer to no channel opening");
    return opening;
  }

  /** Room for one more channel; undefined: there may be no more. */
  #takeRoom(): Room | undefined {
    const { transport, maxChannels } = this.#deps;
    const { held, clock } = transport;
    const most = maxChannels + Math.ceil(maxChannels * ENDING_PART);
    this.#rooms ??= new Rooms({ held, clock, maxChannels: most });
    const all = this.#channels.size + this.#openings.size;
    const isFull = all - this.#closing.size >= maxChannels || all >= most;
    return isFull ? undefined : this.#rooms.first();
  }

  #add(
    { id, type, room }: Pick<ChannelTerms, "id" | "type" | "room">,
    { sender, window, maxPacket }: MessageOf<"open" | "openConfirmation">,
  ): Channel {
    const { halfClose } = this;
    const terms = { id, remoteId: sender, type, room, window, maxPacket, halfClose };
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
}
