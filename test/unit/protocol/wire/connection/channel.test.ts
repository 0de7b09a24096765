import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { Channel, type ChannelHost, type ChannelTerms } from "@rport/protocol/wire/channel";
import { SYSTEM_CLOCK } from "@rport/protocol/wire/clock";
import type { Message } from "@rport/protocol/wire/connection/messages";
import { Rooms } from "@rport/protocol/wire/connection/rooms";
import { HeldBytes } from "@rport/protocol/wire/held";
import { WireError } from "@rport/protocol/wire/wireError";
import { describe, expect, it } from "vitest";

const rooms = () => {
  const held = new HeldBytes().open(() => {});
  return { held, rooms: new Rooms({ held, clock: SYSTEM_CLOCK, maxChannels: 256 }) };
};

const TERMS: Omit<ChannelTerms, "room"> = {
  id: 1,
  remoteId: 2,
  type: "rport",
  window: 1 << 20,
  maxPacket: 1 << 20,
  halfClose: false,
};

/** A channel on a connection that writes down what it is asked to send. */
function channelWith(changed: Partial<ChannelTerms> = {}) {
  const sent: string[] = [];
  const { held, rooms: all } = rooms();
  const room = all.first();
  if (room === undefined) throw new Error("there is no room for a channel");
  const host = {
    isCongested: false,
    waiting: new Set<Channel>(),
    isForgotten: false,
    /** Packets until the turn is over. */
    packetsLeft: Number.POSITIVE_INFINITY,
    waitingForTurn: new Set<Channel>(),
  };
  const channelHost: ChannelHost = {
    get isCongested() {
      return host.isCongested;
    },
    waitForRoom: (channel) => void host.waiting.add(channel),
    turns: { nowMs: () => 0, isOver: () => host.packetsLeft <= 0 },
    waitForTurn: (channel) => void host.waitingForTurn.add(channel),
    held,
    send: (message: Message) => void sent.push(message.kind),
    sendData: (_recipient, data) => {
      host.packetsLeft -= 1;
      sent.push(`data ${data.length}`);
    },
    forget: (channel) => {
      if (channel.isOver) host.isForgotten = true;
    },
  };
  return { channel: new Channel(channelHost, { ...TERMS, room, ...changed }), sent, host };
}

const turn = () => new Promise(setImmediate);

describe("what a channel sends", () => {
  it("is cut into packets of at most 32 KiB, whatever the peer allows", () => {
    const { channel, sent } = channelWith();
    channel.write(Buffer.alloc(70_000));
    expect(sent).toEqual(["data 32768", "data 32768", "data 4464"]);
  });

  it("stops at the peer's window and goes on when that grows", () => {
    const { channel, sent } = channelWith({ window: 10 });
    channel.write(Buffer.alloc(25));
    expect(sent).toEqual(["data 10"]);
    channel.receiveWindow(7);
    channel.receiveWindow(100);
    expect(sent).toEqual(["data 10", "data 7", "data 8"]);
  });

  it("waits for the next turn when this one is over, and is a few packets in any case", () => {
    const { channel, sent, host } = channelWith({ maxPacket: 1_024 });
    host.packetsLeft = 20;
    channel.write(Buffer.alloc(40 << 10));
    expect([sent.length, host.waitingForTurn.has(channel)]).toEqual([20, true]);
    channel.pump();
    expect(sent.length).toBe(36);
    host.packetsLeft = 20;
    channel.pump();
    expect([sent.length, channel.writableLength]).toEqual([40, 0]);
  });

  it("waits while the socket is congested", () => {
    const { channel, sent, host } = channelWith();
    host.isCongested = true;
    channel.write(Buffer.alloc(5));
    expect([sent, host.waiting.size]).toEqual([[], 1]);
    host.isCongested = false;
    channel.pump();
    expect(sent).toEqual(["data 5"]);
  });

  it("ends with EOF when both ends know half-close, and with CLOSE when not", async () => {
    for (const halfClose of [true, false]) {
      const { channel, sent } = channelWith({ halfClose });
      channel.end("x");
      await once(channel, "finish");
      expect(sent).toEqual(["data 1", halfClose ? "eof" : "close"]);
    }
  });

  it("is nothing any more after CLOSE, because Go would end the connection", async () => {
    const { channel, sent } = channelWith();
    channel.destroy();
    await once(channel, "close");
    for (let index = 0; index < 8; index += 1) channel.receive(Buffer.alloc(32_768));
    const name = "x";
    const payload = Buffer.alloc(0);
    channel.receiveRequest({
      kind: "channelRequest",
      recipient: 1,
      name,
      wantReply: true,
      payload,
    });
    await expect(channel.request("x", payload)).rejects.toBeInstanceOf(WireError);
    channel.receiveEof();
    channel.receiveClose();
    expect(sent).toEqual(["close"]);
  });
});

describe("when the peer closes a channel", () => {
  it("it is answered with exactly one CLOSE, and the number is free", async () => {
    const { channel, sent, host } = channelWith();
    channel.resume();
    channel.receiveClose();
    await once(channel, "close");
    expect([sent, host.isForgotten]).toEqual([["close"], true]);
    expect(() => channel.receiveClose()).toThrow("closed twice");
  });

  it.each([true, false])(
    "what it sent is read, and what we still had is dropped without an error (half-close %s)",
    async (halfClose) => {
      const { channel, sent } = channelWith({ halfClose, window: 10 });
      const writes: (Error | null | undefined)[] = [];
      channel.write(Buffer.alloc(1000), (error) => writes.push(error));
      channel.write(Buffer.alloc(1000), (error) => writes.push(error));
      channel.receive(Buffer.from("last words"));
      channel.receiveClose();
      await turn();
      expect(writes).toEqual([null, null].slice(0, writes.length));
      expect(writes.length).toBe(2);
      expect((await buffer(channel)).toString()).toBe("last words");
      if (!channel.closed) await once(channel, "close");
      expect(channel.errored).toBeNull();
      expect(sent).toEqual(["data 10", "close"]);
    },
  );

  it("after EOF, while we still write, the stream closes without an error", async () => {
    const { channel } = channelWith({ halfClose: true, window: 0 });
    channel.resume();
    channel.receiveEof();
    await once(channel, "end");
    channel.write("unsent");
    channel.receiveClose();
    await once(channel, "close");
    expect(channel.errored).toBeNull();
  });
});

describe("what a channel receives", () => {
  it("is given room for again only as it is read", async () => {
    const { channel, sent } = channelWith();
    for (let index = 0; index < 8; index += 1) channel.receive(Buffer.alloc(32_768));
    const before = sent.length;
    expect(before).toBe(0);
    channel.resume();
    await turn();
    expect(sent.length).toBeGreaterThan(before);
    expect(new Set(sent)).toEqual(new Set(["windowAdjust"]));
  });

  it("ends both directions when half-close is not known", async () => {
    const { channel, sent } = channelWith();
    channel.resume();
    channel.receiveEof();
    await once(channel, "close");
    expect(sent).toEqual(["close"]);
  });

  it("leaves our direction open after EOF when half-close is known", async () => {
    const { channel, sent } = channelWith({ halfClose: true });
    channel.resume();
    channel.receiveEof();
    await once(channel, "end");
    channel.end("answer");
    await once(channel, "close");
    expect(sent).toEqual(["data 6", "eof", "close"]);
  });

  it("of a kind nobody asked for is dropped, and its room given back", () => {
    const { channel, sent } = channelWith();
    for (let index = 0; index < 8; index += 1) channel.receiveExtended(Buffer.alloc(32_768));
    expect(channel.readableLength).toBe(0);
    expect(new Set(sent)).toEqual(new Set(["windowAdjust"]));
  });
});

describe("what nobody reads of a channel", () => {
  it("F-14: is kept in few pieces, however many packets it came in, and its room is not given back", async () => {
    const { channel, sent } = channelWith({ halfClose: true });
    for (let n = 0; n < 100_000; n += 1) channel.receive(Buffer.of(n % 251));
    channel.receiveEof();
    expect(channel.readableLength).toBeLessThanOrEqual(1);
    expect(sent).toEqual([]);
    const chunks: Buffer[] = [];
    channel.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(channel, "end");
    expect(chunks.length).toBeLessThan(5);
    expect(Buffer.concat(chunks)).toHaveLength(100_000);
    expect(Buffer.concat(chunks)[99_999]).toBe(99_999 % 251);
    expect(sent).toContain("windowAdjust");
  });
});

describe("requests on a channel", () => {
  it("are refused unless somebody takes them", () => {
    const { channel, sent } = channelWith();
    const request = { kind: "channelRequest", recipient: 1, payload: Buffer.alloc(0) } as const;
    channel.receiveRequest({ ...request, name: "shell", wantReply: true });
    channel.onRequest = (name) => name === "subsystem";
    channel.receiveRequest({ ...request, name: "subsystem", wantReply: true });
    channel.receiveRequest({ ...request, name: "subsystem", wantReply: false });
    expect(sent).toEqual(["channelFailure", "channelSuccess"]);
  });

  it("of ours are answered in order, and with no when the channel closes", async () => {
    const { channel } = channelWith();
    channel.resume();
    const answers = ["a", "b", "c"].map((name) => channel.request(name, Buffer.alloc(0)));
    channel.receiveReply(true);
    channel.receiveReply(false);
    channel.receiveClose();
    expect(await Promise.all(answers)).toEqual([true, false, false]);
  });
});

describe("when the connection is gone", () => {
  it("a stream that is watched ends with the reason, and one that is not ends quietly", async () => {
    const { channel, sent } = channelWith();
    const failed = once(channel, "error");
    channel.abandon(new WireError("lost", "gone"));
    expect((await failed)[0]).toMatchObject({ kind: "lost", message: "gone" });
    const quiet = channelWith().channel;
    quiet.abandon(new WireError("lost", "gone"));
    await once(quiet, "close");
    expect(sent).toEqual([]);
  });
});
