import { type Field, PacketReader, pack } from "../packet.ts";

/**
 * The messages of the connection layer (RFC 4254) as values. `recipient` is the receiver's number
 * of the channel, `sender` the number its sender gave it. Global replies carry a payload in both
 * cases; the failure text is RPort's extension.
 */
export type Message =
  | {
      readonly kind: "globalRequest";
      readonly name: string;
      readonly wantReply: boolean;
      readonly payload: Buffer;
    }
  | { readonly kind: "globalSuccess"; readonly payload: Buffer }
  | { readonly kind: "globalFailure"; readonly payload: Buffer }
  | {
      readonly kind: "open";
      readonly type: string;
      readonly sender: number;
      readonly window: number;
      readonly maxPacket: number;
      readonly extra: Buffer;
    }
  | {
      readonly kind: "openConfirmation";
      readonly recipient: number;
      readonly sender: number;
      readonly window: number;
      readonly maxPacket: number;
    }
  | {
      readonly kind: "openFailure";
      readonly recipient: number;
      readonly code: number;
      readonly text: string;
    }
  | { readonly kind: "windowAdjust"; readonly recipient: number; readonly bytes: number }
  | { readonly kind: "data"; readonly recipient: number; readonly data: Buffer }
  | {
      readonly kind: "extendedData";
      readonly recipient: number;
      readonly code: number;
      readonly data: Buffer;
    }
  | { readonly kind: "eof"; readonly recipient: number }
  | { readonly kind: "close"; readonly recipient: number }
  | {
      readonly kind: "channelRequest";
      readonly recipient: number;
      readonly name: string;
      readonly wantReply: boolean;
      readonly payload: Buffer;
    }
  | { readonly kind: "channelSuccess"; readonly recipient: number }
  | { readonly kind: "channelFailure"; readonly recipient: number }
  | { readonly kind: "ping"; readonly payload: Buffer }
  | { readonly kind: "pong"; readonly payload: Buffer };

/** Message numbers (RFC 4250 4.1; 192 and 193 are OpenSSH's transport ping). */
const TYPE = {
  globalRequest: 80,
  globalSuccess: 81,
  globalFailure: 82,
  open: 90,
  openConfirmation: 91,
  openFailure: 92,
  windowAdjust: 93,
  data: 94,
  extendedData: 95,
  eof: 96,
  close: 97,
  channelRequest: 98,
  channelSuccess: 99,
  channelFailure: 100,
  ping: 192,
  pong: 193,
} as const satisfies Record<Message["kind"], number>;

/** The bytes of a message. */
export function encodeMessage(message: Message): Buffer {
  return pack(TYPE[message.kind], ...fieldsOf(message));
}

/**
 * Reads one message; `undefined` for a number that is not of this layer. Buffers inside are views
 * of `payload`. Throws a `protocol` error on a malformed message.
 */
export function decodeMessage(payload: Buffer): Message | undefined {
  const read = DECODERS.get(payload[0] ?? 0);
  return read?.(new PacketReader(payload));
}

function fieldsOf(message: Message): Field[] {
  switch (message.kind) {
    case "globalRequest":
      return [message.name, message.wantReply, message.payload];
    case "globalSuccess":
    case "globalFailure":
    case "ping":
    case "pong":
      return [message.payload];
    case "open":
      return [message.type, message.sender, message.window, message.maxPacket, message.extra];
    case "openConfirmation":
      return [message.recipient, message.sender, message.window, message.maxPacket];
    case "openFailure":
      return [message.recipient, message.code, message.text, ""];
    case "windowAdjust":
      return [message.recipient, message.bytes];
    case "data":
      return [message.recipient, message.data.length, message.data];
    case "extendedData":
      return [message.recipient, message.code, message.data.length, message.data];
    case "channelRequest":
      return [message.recipient, message.name, message.wantReply, message.payload];
    case "eof":
    case "close":
    case "channelSuccess":
    case "channelFailure":
      return [message.recipient];
  }
}

const DECODERS = new Map<number, (reader: PacketReader) => Message>([
  [TYPE.globalRequest, decodeGlobalRequest],
  [TYPE.globalSuccess, (reader) => ({ kind: "globalSuccess", payload: reader.rest() })],
  [TYPE.globalFailure, (reader) => ({ kind: "globalFailure", payload: reader.rest() })],
  [TYPE.open, decodeOpen],
  [TYPE.openConfirmation, decodeOpenConfirmation],
  [TYPE.openFailure, decodeOpenFailure],
  [TYPE.windowAdjust, decodeWindowAdjust],
  [TYPE.data, decodeData],
  [TYPE.extendedData, decodeExtendedData],
  [TYPE.eof, (reader) => ({ kind: "eof", recipient: reader.uint32() })],
  [TYPE.close, (reader) => ({ kind: "close", recipient: reader.uint32() })],
  [TYPE.channelRequest, decodeChannelRequest],
  [TYPE.channelSuccess, (reader) => ({ kind: "channelSuccess", recipient: reader.uint32() })],
  [TYPE.channelFailure, (reader) => ({ kind: "channelFailure", recipient: reader.uint32() })],
  [TYPE.ping, (reader) => ({ kind: "ping", payload: reader.rest() })],
  [TYPE.pong, (reader) => ({ kind: "pong", payload: reader.rest() })],
]);

function decodeGlobalRequest(reader: PacketReader): Message {
  const name = reader.name();
  const wantReply = reader.boolean();
  return { kind: "globalRequest", name, wantReply, payload: reader.rest() };
}

function decodeOpen(reader: PacketReader): Message {
  const type = reader.name();
  const [sender, window, maxPacket] = [reader.uint32(), reader.uint32(), reader.uint32()];
  return { kind: "open", type, sender, window, maxPacket, extra: reader.rest() };
}

function decodeOpenConfirmation(reader: PacketReader): Message {
  const [recipient, sender] = [reader.uint32(), reader.uint32()];
  const [window, maxPacket] = [reader.uint32(), reader.uint32()];
  return { kind: "openConfirmation", recipient, sender, window, maxPacket };
}

function decodeOpenFailure(reader: PacketReader): Message {
  const [recipient, code] = [reader.uint32(), reader.uint32()];
  return { kind: "openFailure", recipient, code, text: reader.bytes().toString("utf8") };
}

function decodeWindowAdjust(reader: PacketReader): Message {
  const [recipient, bytes] = [reader.uint32(), reader.uint32()];
  return { kind: "windowAdjust", recipient, bytes };
}

function decodeData(reader: PacketReader): Message {
  const recipient = reader.uint32();
  return { kind: "data", recipient, data: reader.lastBytes() };
}

function decodeExtendedData(reader: PacketReader): Message {
  const [recipient, code] = [reader.uint32(), reader.uint32()];
  return { kind: "extendedData", recipient, code, data: reader.lastBytes() };
}

function decodeChannelRequest(reader: PacketReader): Message {
  const recipient = reader.uint32();
  const name = reader.name();
  const wantReply = reader.boolean();
  return { kind: "channelRequest", recipient, name, wantReply, payload: reader.rest() };
}
