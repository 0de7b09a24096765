import { once } from "node:events";
import type { Channel } from "@rport/protocol/wire/channel";
import { Connection } from "@rport/protocol/wire/connection";
import { encodeMessage } from "@rport/protocol/wire/connection/messages";
import { serverTransport } from "@rport/protocol/wire/transport";
import type { CloseReason } from "@rport/protocol/wire/wireError";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { RawPeer, type RawPeerOptions, sshString } from "../../support/faults/rawPeer.ts";
import { kexinit } from "../../support/wire/kexinit.ts";
import {
  clientOf,
  connectPair,
  dial,
  LOGIN,
  listen,
  REFUSE_ALL,
  SERVER_KEY,
  USER,
  type WireListener,
} from "../../support/wire/wirePair.ts";
import { within } from "../../support/within.ts";

/** Each attack must be over within this time; in practice it takes a few milliseconds. */
const PATIENCE_MS = 2000;

let listener: WireListener;
let honest: Connection;
const reasons: CloseReason[] = [];
const channels: Channel[] = [];

beforeAll(async () => {
  listener = await listen((ws) => {
    const transport = serverTransport(ws, {
      serverKey: SERVER_KEY,
      login: {
        async check(user, password) {
          await new Promise(setImmediate);
          return await LOGIN.check(user, password);
        },
      },
    });
    const connection = new Connection(transport, {
      onRequest: (_name, payload) => payload,
      onOpen: (type) =>
        type === "stdout"
          ? { accept: (channel) => void channels.push(channel) }
          : { refuse: "not allowed" },
    });
    void connection.closed.then((reason) => reasons.push(reason));
  });
  honest = new Connection(clientOf(dial(listener.url)), REFUSE_ALL);
  await honest.transport.ready;
});

afterAll(async () => {
  honest.close("the test is over");
  await listener[Symbol.asyncDispose]();
});

/** Whatever an attacker does, the others must not notice. */
afterEach(async () => {
  const reply = await honest.request("echo", Buffer.from("still here"));
  expect(`${reply.ok} ${reply.payload}`).toBe("true still here");
  reasons.length = 0;
  channels.length = 0;
});

async function attack(
  options: Omit<RawPeerOptions, "url">,
  act: (peer: RawPeer) => void,
): Promise<{ goodbye: string; reason: CloseReason | undefined; peer: RawPeer }> {
  const peer = new RawPeer({ url: listener.url, ...options });
  await peer.reached.promise;
  act(peer);
  const goodbye = await within("the server to end the connection", peer.ended.promise, PATIENCE_MS);
  await expect.poll(() => reasons.length, { timeout: PATIENCE_MS }).toBe(1);
  return { goodbye, reason: reasons[0], peer };
}

const openStdout = encodeMessage({
  kind: "open",
  type: "stdout",
  sender: 7,
  window: 1000,
  maxPacket: 32_768,
  extra: Buffer.alloc(0),
});

describe("C-02, C-10: before the login, the server ends the connection at", () => {
  const cases: [string, Buffer, RegExp][] = [
    ["a channel", openStdout, /message 90 before/],
    [
      "a request",
      Buffer.from([80, ...sshString("new_connection"), 1, 0x7b, 0x7d]),
      /message 80 before/,
    ],
    ["a success that only the server may send", Buffer.from([52]), /message 52 before/],
    ["channel data", Buffer.from([94, 0, 0, 0, 0, 0, 0, 0, 1, 1]), /message 94 before/],
    ["a packet of 60 000 bytes", Buffer.alloc(60_000, 2), /packet of 600\d\d bytes/],
    [
      "a login without asking for the service",
      Buffer.from([
        50,
        ...sshString(USER),
        ...sshString("ssh-connection"),
        ...sshString("password"),
        0,
        ...sshString("x"),
      ]),
      /out of turn/,
    ],
  ];
  it.each(cases)("%s", async (_name, payload, expected) => {
    const { reason } = await attack({ stage: "keys" }, (peer) => peer.send(payload));
    expect(reason?.text).toMatch(expected);
  });

  it("another service", async () => {
    const { goodbye } = await attack({ stage: "keys" }, (peer) =>
      peer.engine.requestService("ssh-connection"),
    );
    expect(goodbye).toBe("unknown service");
  });

  it("the sixth wrong password, and no sooner", async () => {
    const { reason, goodbye, peer } = await attack(
      { stage: "keys", onRefused: (self) => self.engine.sendPassword(USER, "wrong") },
      (self) => {
        self.engine.requestService("ssh-userauth");
        self.engine.sendPassword(USER, "wrong");
      },
    );
    expect(peer.refusals).toBe(6);
    expect(reason).toEqual({ kind: "login", text: "too many failed logins" });
    expect(goodbye).toBe("too many failed logins");
  });

  it("a second password while the first is being checked", async () => {
    const { reason, peer } = await attack({ stage: "keys" }, ({ engine }) => {
      engine.requestService("ssh-userauth");
      for (let index = 0; index < 100; index += 1) engine.sendPassword(`user${index}`, "x");
    });
    expect(reason?.text).toBe("a login request out of turn");
    expect(peer.refusals).toBe(0);
  });

  it("the sixth key offered instead of a password", async () => {
    const offer = Buffer.from([
      50,
      ...sshString(USER),
      ...sshString("ssh-connection"),
      ...sshString("publickey"),
      0,
      ...sshString("ssh-ed25519"),
      ...sshString("abc"),
    ]);
    const { peer } = await attack(
      { stage: "keys", onRefused: (self) => self.send(offer) },
      (self) => {
        self.engine.requestService("ssh-userauth");
        self.send(offer);
      },
    );
    expect(peer.refusals).toBe(6);
  });

  it("64 KiB of harmless messages", async () => {
    const ignore = Buffer.concat([Buffer.of(2), sshString("x".repeat(30_000))]);
    const { reason } = await attack({ stage: "keys" }, (peer) => {
      for (let index = 0; index < 4; index += 1) peer.send(ignore);
    });
    expect(reason).toEqual({ kind: "limit", text: "too many bytes before the login" });
  });

  it("F-13: thousands of harmless bytes, each a message of its own", async () => {
    const ignore = Buffer.concat([Buffer.of(2), sshString("x".repeat(3_000))]);
    const { reason } = await attack({ stage: "keys" }, (peer) => {
      const send = peer.ws.send.bind(peer.ws);
      peer.ws.send = (data: Buffer) => {
        for (const byte of data) send(Buffer.of(byte));
      };
      peer.send(ignore);
    });
    expect(reason).toEqual({ kind: "limit", text: "too many bytes before the login" });
  });

  it("C-14: pongs without end", async () => {
    const { reason } = await attack({ stage: "keys" }, (peer) => {
      for (let n = 0; n < 3_000; n += 1) peer.ws.pong();
    });
    expect(reason).toEqual({ kind: "limit", text: "too many bytes before the login" });
  });

  it("C-14: pings without end, by one who takes the answers", async () => {
    const { reason } = await attack({ stage: "keys" }, (peer) => {
      // The library ends who has too many answers waiting; this one never has more than twenty.
      const again = (): void => {
        if (peer.ws.readyState === peer.ws.OPEN) peer.ws.ping();
      };
      peer.ws.on("pong", again);
      for (let n = 0; n < 20; n += 1) again();
    });
    expect(reason).toEqual({ kind: "limit", text: "too many bytes before the login" });
  });

  it("C-12: key exchanges without end", async () => {
    const { reason } = await attack({ stage: "keys" }, (peer) => {
      const again = setInterval(() => peer.engine.rekey(), 1);
      void peer.ended.promise.then(() => clearInterval(again));
    });
    expect(reason?.kind).toBe("limit");
  });
});

describe("after the login, the server ends the connection at", () => {
  const cases: [string, number[], RegExp][] = [
    ["a reply nobody asked for", [81], /a reply to no request/],
    ["data for an unknown channel", [94, 0, 0, 0, 9, 0, 0, 0, 1, 1], /unknown channel/],
    ["a truncated channel open", [90, 0, 0], /malformed message 90/],
    ["a truncated request", [80, 0, 0, 0, 200, 1], /malformed message 80/],
    ["a confirmation nobody asked for", [91, ...new Array(16).fill(0)], /no channel opening/],
    ["a second login answer", [52], /unexpected message 52/],
    ["a message number nobody knows", [120], /unknown message 120/],
  ];
  it.each(cases)("%s", async (_name, payload, expected) => {
    const { reason } = await attack({ stage: "login" }, (peer) => peer.send(payload));
    expect(reason?.text).toMatch(expected);
  });

  it("a flipped bit", async () => {
    let isFlipping = false;
    const onWrite = (bytes: Buffer) => {
      if (isFlipping) bytes[9] = (bytes[9] ?? 0) ^ 1;
      return bytes;
    };
    const { reason } = await attack({ stage: "login", onWrite }, (peer) => {
      isFlipping = true;
      peer.send([2, 0, 0, 0, 0]);
    });
    expect(reason?.kind).toBe("protocol");
  });

  it.each([1, 2, 3, 4, 20, 50])("C-12: message %i of more than 35,000 bytes", async (type) => {
    const payload = Buffer.concat([Buffer.of(type), Buffer.alloc(36_000)]);
    const { reason } = await attack({ stage: "login" }, (peer) => peer.send(payload));
    expect(reason).toEqual({
      kind: "protocol",
      text: `packet of 36016 bytes with message ${type}, where 35000 are allowed`,
    });
  });

  it("C-12: more than 35,000 bytes where a key exchange has to go on", async () => {
    const { reason } = await attack({ stage: "login" }, (peer) => {
      peer.send(kexinit());
      peer.send(Buffer.concat([Buffer.of(94), Buffer.alloc(200_000)]));
    });
    expect(reason).toEqual({
      kind: "protocol",
      text: "packet of 200016 bytes in a key exchange, where 35000 are allowed",
    });
  });

  it("C-12: key exchanges without end, whatever is sent beside them that is of no use", async () => {
    const ignored = Buffer.concat([Buffer.of(2), Buffer.alloc(34_000)]);
    const peer = new RawPeer({ url: listener.url, stage: "login" });
    await peer.reached.promise;
    const again = setInterval(() => {
      if (peer.engine.isExchanging) return;
      for (let sent = 0; sent < 40; sent += 1) peer.send(ignored);
      peer.engine.rekey();
    }, 1);
    void peer.ended.promise.then(() => clearInterval(again));
    const goodbye = await within("the server to end it", peer.ended.promise, 20_000);
    expect(goodbye).toBe("too many key exchanges");
  });

  it("a packet longer than it may be", async () => {
    const header = Buffer.alloc(64);
    header.writeUInt32BE(0x7fff_fff0);
    const { reason } = await attack({ stage: "login" }, (peer) => peer.ws.send(header));
    expect(reason?.text).toMatch(/^packet of 2147483632 bytes/);
  });

  const onChannel: [string, (peer: RawPeer, id: number) => void, RegExp][] = [
    [
      "a data packet above 32 KiB",
      (peer, id) =>
        peer.send(encodeMessage({ kind: "data", recipient: id, data: Buffer.alloc(40_000) })),
      /more data on a channel/,
    ],
    [
      "more data than the window holds",
      (peer, id) => {
        const data = encodeMessage({ kind: "data", recipient: id, data: Buffer.alloc(32_768) });
        for (let index = 0; index < 65; index += 1) peer.send(data);
      },
      /more data on a channel/,
    ],
    [
      "data after the end of data",
      (peer, id) => {
        peer.send(encodeMessage({ kind: "eof", recipient: id }));
        peer.send(encodeMessage({ kind: "data", recipient: id, data: Buffer.alloc(1) }));
      },
      /more data on a channel/,
    ],
    [
      "a window above 32 bits",
      (peer, id) =>
        peer.send(encodeMessage({ kind: "windowAdjust", recipient: id, bytes: 0xffff_ffff })),
      /window overflow/,
    ],
    [
      "an answer to no channel request",
      (peer, id) => peer.send(encodeMessage({ kind: "channelSuccess", recipient: id })),
      /no channel request/,
    ],
  ];
  it.each(onChannel)("%s", async (_name, act, expected) => {
    const peer = new RawPeer({ url: listener.url, stage: "login" });
    await peer.reached.promise;
    peer.send(openStdout);
    await expect.poll(() => peer.received[0]?.kind).toBe("openConfirmation");
    const [opened] = peer.received;
    act(peer, opened?.kind === "openConfirmation" ? opened.sender : -1);
    await within("the server to end the connection", peer.ended.promise, PATIENCE_MS);
    await expect.poll(() => reasons.map((reason) => reason.text).join()).toMatch(expected);
    await expect.poll(() => channels[0]?.destroyed).toBe(true);
  });

  it("answers it does not read, once they fill 10 MiB", async () => {
    const request = encodeMessage({
      kind: "globalRequest",
      name: "echo",
      wantReply: true,
      payload: Buffer.alloc(200_000),
    });
    const { reason } = await attack({ stage: "login" }, (peer) => {
      peer.ws.pause();
      for (let index = 0; index < 100; index += 1) peer.send(request);
      const resume = setInterval(() => reasons.length > 0 && peer.ws.resume(), 20);
      void peer.ended.promise.then(() => clearInterval(resume));
    });
    expect(reason).toEqual({ kind: "limit", text: "the peer does not read what it is sent" });
  });
});

it("C-12: a client ends the connection at a large message of keys or of the login, too", async () => {
  await using pair = await connectPair();
  pair.server.transport.send(Buffer.concat([Buffer.of(20), Buffer.alloc(36_000)]));
  expect(await pair.client.closed).toEqual({
    kind: "protocol",
    text: "packet of 36016 bytes with message 20, where 35000 are allowed",
  });
});

describe("in clear text, the server ends the connection at", () => {
  const clear = (...parts: (string | number[])[]) =>
    Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const cases: [string, Buffer, RegExp][] = [
    ["4000 letters instead of a line", Buffer.alloc(4000, 65), /too long/],
    ["SSH 1.5", clear("SSH-1.5-x\r\n"), /not an RPort peer/],
    ["control characters in the line", clear("SSH-2.0-a\u0007b\r\n"), /not an RPort peer/],
    ["a length of 0x7fffffff", clear("SSH-2.0-x\r\n", [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]), /./],
    ["a length of 0xffffffff", clear("SSH-2.0-x\r\n", [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), /./],
    [
      "a channel open instead of the key exchange",
      clear("SSH-2.0-x\r\n", [0, 0, 0, 28, 4, 90], new Array(26).fill(0)),
      /unexpected packet type 90/,
    ],
    [
      "a mangled key exchange",
      clear("SSH-2.0-x\r\n", [0, 0, 0, 28, 4, 20], new Array(26).fill(255)),
      /malformed KEXINIT/i,
    ],
    ["a message of 100 000 bytes", Buffer.alloc(100_000, 65), /Max payload/],
  ];
  it.each(cases)("%s", async (_name, bytes, expected) => {
    const ws = dial(listener.url);
    ws.on("error", () => {});
    await once(ws, "open");
    const closed = once(ws, "close");
    ws.send(bytes);
    await within("the socket to close", closed, PATIENCE_MS);
    await expect.poll(() => reasons[0]?.text).toMatch(expected);
  });
});
