import {
  decodeMessage,
  encodeMessage,
  type Message,
} from "@rport/protocol/wire/connection/messages";
import { encodeDisconnect } from "@rport/protocol/wire/transport/disconnect";
import { WireError } from "@rport/protocol/wire/wireError";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const uint32 = fc.nat(0xffff_ffff);
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const name = fc.string({ unit: "grapheme-ascii", maxLength: 64 });
const channelOnly = fc.constantFrom<"eof" | "close" | "channelSuccess" | "channelFailure">(
  "eof",
  "close",
  "channelSuccess",
  "channelFailure",
);
const payloadOnly = fc.constantFrom<"globalSuccess" | "globalFailure" | "ping" | "pong">(
  "globalSuccess",
  "globalFailure",
  "ping",
  "pong",
);
const window = { window: uint32, maxPacket: uint32 };
const asked = { name, wantReply: fc.boolean(), payload: bytes };

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ kind: fc.constant("globalRequest" as const), ...asked }),
  fc.record({ kind: payloadOnly, payload: bytes }),
  fc.record({
    kind: fc.constant("open" as const),
    type: name,
    sender: uint32,
    ...window,
    extra: bytes,
  }),
  fc.record({
    kind: fc.constant("openConfirmation" as const),
    recipient: uint32,
    sender: uint32,
    ...window,
  }),
  fc.record({
    kind: fc.constant("openFailure" as const),
    recipient: uint32,
    code: uint32,
    text: fc.string({ unit: "grapheme" }),
  }),
  fc.record({ kind: fc.constant("windowAdjust" as const), recipient: uint32, bytes: uint32 }),
  fc.record({ kind: fc.constant("data" as const), recipient: uint32, data: bytes }),
  fc.record({
    kind: fc.constant("extendedData" as const),
    recipient: uint32,
    code: uint32,
    data: bytes,
  }),
  fc.record({ kind: channelOnly, recipient: uint32 }),
  fc.record({ kind: fc.constant("channelRequest" as const), recipient: uint32, ...asked }),
);

describe("messages of the connection layer", () => {
  it("come back as they were sent", () => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(decodeMessage(encodeMessage(sent))).toEqual(sent);
      }),
    );
  });

  it("that are cut anywhere are refused or shorter, never anything else", () => {
    fc.assert(
      fc.property(message, fc.nat(), (sent, at) => {
        const whole = encodeMessage(sent);
        const cut = whole.subarray(0, at % whole.length);
        try {
          const read = decodeMessage(cut);
          if (read !== undefined)
            expect(encodeMessage(read).length).toBeLessThanOrEqual(whole.length);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });

  it("F-18: of random bytes never fail in another way", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (array) => {
        try {
          decodeMessage(Buffer.from(array));
        } catch (error) {
          expect(error).toMatchObject({ name: "WireError", kind: "protocol" });
        }
      }),
    );
  });

  it("have RPort's bytes", () => {
    const ping = { name: "ping", wantReply: true, payload: Buffer.alloc(0) };
    const open = {
      type: "rport",
      sender: 0,
      window: 0x20_0000,
      maxPacket: 0x8000,
      extra: Buffer.from("127.0.0.1:22"),
    };
    const refused = Buffer.from("unknown request");
    const hex = (bytes: Buffer) => bytes.toString("hex");
    expect(hex(encodeMessage({ kind: "globalRequest", ...ping }))).toBe("500000000470696e6701");
    expect(hex(encodeMessage({ kind: "globalFailure", payload: refused }))).toBe(
      "52756e6b6e6f776e2072657175657374",
    );
    expect(hex(encodeMessage({ kind: "open", ...open }))).toBe(
      "5a0000000572706f72740000000000200000000080003132372e302e302e313a3232",
    );
  });

  it("say goodbye with an empty language tag, without which Go shows a parse error", () => {
    expect(encodeDisconnect(2, "no").toString("hex")).toBe("0100000002000000026e6f00000000");
  });
});
