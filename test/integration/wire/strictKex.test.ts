import { once } from "node:events";
import { serverTransport, type Transport } from "@rport/protocol/wire/transport";
import type { CloseReason } from "@rport/protocol/wire/wireError";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { RawPeer } from "../../support/faults/rawPeer.ts";
import {
  clientOf,
  dial,
  LOGIN,
  listen,
  SERVER_KEY,
  type WireListener,
} from "../../support/wire/wirePair.ts";
import { within } from "../../support/within.ts";

/** A message that may come at any time, in a packet without encryption, as anybody on the way can make it. */
function clear(type: number): Buffer {
  const payload = Buffer.concat([Buffer.of(type), Buffer.alloc(10)]);
  const padding = 16 - ((5 + payload.length) % 8);
  const packet = Buffer.alloc(5 + payload.length + padding);
  packet.writeUInt32BE(1 + payload.length + padding);
  packet[4] = padding;
  payload.copy(packet, 5);
  return packet;
}

/** What is wrong with it, in the words of the library. */
const STRICT = /in strict KEX mode$|unexpected packet type [234]$/;

const SLIPPED = [
  ["IGNORE", 2],
  ["UNIMPLEMENTED", 3],
  ["DEBUG", 4],
] as const;
/** In front of which packet of one side: its offer, its part of the exchange, its new keys. */
const PLACES = [
  ["the offer", 0],
  ["the exchange", 1],
  ["the new keys", 2],
] as const;
const CASES = SLIPPED.flatMap(([name, type]) =>
  PLACES.map(([place, at]) => [`${name} in front of ${place}`, type, at] as const),
);

let listener: WireListener;
let reasons: CloseReason[];
let change: (ws: WebSocket) => void;

beforeEach(async () => {
  reasons = [];
  change = () => {};
  listener = await listen((ws) => {
    change(ws);
    const transport = serverTransport(ws, { serverKey: SERVER_KEY, login: LOGIN });
    void transport.closed.then((reason) => reasons.push(reason));
  });
});
afterEach(() => listener[Symbol.asyncDispose]());

/** The packets in these bytes, which are not encrypted. */
function packetsIn(bytes: Buffer): Buffer[] {
  if (bytes.length === 0) return [];
  const end = 4 + bytes.readUInt32BE(0);
  return [bytes.subarray(0, end), ...packetsIn(bytes.subarray(end))];
}

/** Slips a message in front of one of the packets that leave this side before it has keys. */
function slipInto(ws: WebSocket, type: number, at: number): void {
  const send = ws.send.bind(ws);
  let count = 0;
  ws.send = (data: Buffer) => {
    // The line that identifies a side is no packet, and nothing is slipped in behind the new keys.
    const isClear = data.subarray(0, 4).toString("latin1") !== "SSH-" && count < PLACES.length;
    const packets = isClear ? packetsIn(data) : [data];
    const slipped = packets.flatMap((packet) => {
      if (!isClear) return [packet];
      count += 1;
      return count - 1 === at ? [clear(type), packet] : [packet];
    });
    send(Buffer.concat(slipped));
  };
}

async function reasonOf(transport: Transport): Promise<CloseReason> {
  return await within("the connection to end", transport.closed, 5_000);
}

describe("C-13: whoever slips a message into the key exchange in clear text ends the connection", () => {
  it.each(CASES)("towards the server: %s", async (_name, type, at) => {
    let packets = 0;
    const onWrite = (bytes: Buffer) => {
      packets += 1;
      return packets - 1 === at ? Buffer.concat([clear(type), bytes]) : bytes;
    };
    const peer = new RawPeer({ url: listener.url, stage: "keys", onWrite });
    await within("the server to end the connection", peer.ended.promise, 5_000);
    await expect
      .poll(() => reasons)
      .toEqual([{ kind: "protocol", text: expect.stringMatching(STRICT) }]);
  });

  it.each(CASES)("towards an agent: %s", async (_name, type, at) => {
    change = (ws) => slipInto(ws, type, at);
    expect(await reasonOf(clientOf(dial(listener.url)))).toEqual({
      kind: "protocol",
      text: expect.stringMatching(STRICT),
    });
  });

  it("while without it both sides sign in", async () => {
    change = (ws) => slipInto(ws, 2, 99);
    const transport = clientOf(dial(listener.url));
    await transport.ready;
    const peer = new RawPeer({ url: listener.url, stage: "keys", onWrite: (bytes) => bytes });
    await peer.reached.promise;
    transport.close("done");
    peer.ws.terminate();
    await once(peer.ws, "close");
  });
});
