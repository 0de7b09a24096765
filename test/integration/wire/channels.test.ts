import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Channel } from "@rport/protocol/wire/channel";
import type { ChannelDecision } from "@rport/protocol/wire/connection";
import { serverTransport } from "@rport/protocol/wire/transport";
import { rawSocket } from "@rport/protocol/wire/transport/websocket";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { refusingPort } from "../../support/refusingPort.ts";
import { clientOf, connectPair, dial, LOGIN, SERVER_KEY } from "../../support/wire/wirePair.ts";
import { dialTarget, exchange, pattern, tcpServer, tunnel } from "../../support/wire/wireTunnel.ts";

const EXTRA = Buffer.from("127.0.0.1:22");

describe("channels of one connection", () => {
  it("wait for a slow socket together, with one listener and bounded memory", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning);
    process.on("warning", onWarning);
    const accepted: Channel[] = [];
    await using pair = await connectPair({
      server: { onOpen: () => ({ accept: (channel) => void accepted.push(channel) }) },
    });
    const opened = await Promise.all(
      Array.from({ length: 40 }, () => pair.client.open("stdout", EXTRA)),
    );
    pair.server.transport.pause();
    const data = pattern(400_000);
    for (const channel of opened) channel.end(data);
    const socket = rawSocket(pair.clientSocket);
    await expect.poll(() => pair.client.transport.isCongested).toBe(true);
    expect(socket.writableLength).toBeLessThan(2 << 20);
    expect(socket.listenerCount("drain")).toBeLessThan(5);
    pair.server.transport.resume();
    const received = await Promise.all(accepted.map((channel) => buffer(channel)));
    expect(received.every((bytes) => bytes.equals(data))).toBe(true);
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  it("do not block each other when one is not read", async () => {
    const accepted: Channel[] = [];
    await using pair = await connectPair({
      server: { onOpen: () => ({ accept: (channel) => void accepted.push(channel) }) },
    });
    const unread = await pair.client.open("stdout", EXTRA);
    unread.on("error", () => {});
    unread.write(Buffer.alloc(8 << 20));
    await expect.poll(() => accepted[0]?.unread).toBe(256 << 10);
    const other = await pair.client.open("stdout", EXTRA);
    other.end("through");
    const [, second] = accepted;
    if (second === undefined) throw new Error("the second channel was not accepted");
    expect((await buffer(second)).toString()).toBe("through");
  });

  it("are refused above the limit, from either side", async () => {
    const accept = (channel: Channel) => void channel.resume();
    await using pair = await connectPair({
      server: { maxChannels: 2, onOpen: () => ({ accept }) },
      client: { maxChannels: 3, onOpen: () => ({ accept }) },
    });
    await pair.client.open("stdout", EXTRA);
    await pair.server.open("rport", EXTRA);
    await expect(pair.client.open("stdout", EXTRA)).rejects.toMatchObject({ kind: "refused" });
    await expect(pair.server.open("rport", EXTRA)).rejects.toMatchObject({ kind: "limit" });
  });

  it("may be decided about later, while others go on", async () => {
    const later = Promise.withResolvers<ChannelDecision>();
    const faults: unknown[] = [];
    const accept = (channel: Channel) => void channel.end("through");
    await using pair = await connectPair({
      server: {
        onOpen: (type) => (type === "later" ? later.promise : { accept }),
        onFault: (error) => void faults.push(error),
      },
    });
    const first = pair.client.open("later", EXTRA);
    const second = await pair.client.open("stdout", EXTRA);
    expect((await buffer(second)).toString()).toBe("through");
    later.resolve({ accept });
    expect((await buffer(await first)).toString()).toBe("through");
    expect(faults).toEqual([]);
  });

  it("are refused when nothing comes of a decision, or of what follows it", async () => {
    const faults: unknown[] = [];
    const broken = new Error("no decision");
    await using pair = await connectPair({
      server: {
        onOpen: async (type) => {
          if (type === "stdout") throw broken;
          return { refuse: "not today" };
        },
        onFault: (error, type) => void faults.push([error, type]),
      },
    });
    await expect(pair.client.open("stdout", EXTRA)).rejects.toThrow("internal error");
    await expect(pair.client.open("other", EXTRA)).rejects.toThrow("not today");
    expect(faults).toEqual([[broken, "stdout"]]);
  });

  it("are not opened when the connection has ended before the decision", async () => {
    const later = Promise.withResolvers<ChannelDecision>();
    const asked = Promise.withResolvers<void>();
    const accepted: Channel[] = [];
    await using pair = await connectPair({
      server: {
        onOpen: () => {
          asked.resolve();
          return later.promise;
        },
      },
    });
    const opening = pair.client.open("stdout", EXTRA);
    await Promise.all([
      expect(opening).rejects.toThrow(),
      asked.promise.then(() => pair.client.close("a cut")),
    ]);
    await pair.server.closed;
    later.resolve({ accept: (channel) => void accepted.push(channel) });
    await later.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect([accepted, pair.server.channelCount]).toEqual([[], 0]);
  });
});

describe("half-close", () => {
  it("is not used until both ends know it: then one end closes both directions, as Go does", async () => {
    await using target = await tcpServer((socket) => {
      socket.on("data", () => {});
      socket.on("end", () => socket.end("too late"));
    });
    await using pair = await connectPair({ client: { onOpen: dialTarget() } });
    await using entry = await tunnel(pair.server, target.port);
    expect((await exchange(entry.port, Buffer.from("x"), "half-close")).toString()).toBe("");
    await expect.poll(() => pair.server.channelCount + pair.client.channelCount).toBe(0);

    pair.server.halfClose = true;
    pair.client.halfClose = true;
    const answer = await exchange(entry.port, Buffer.from("x"), "half-close");
    expect(answer.toString()).toBe("too late");
    await expect.poll(() => pair.server.channelCount + pair.client.channelCount).toBe(0);
  });

  it("or not, a thousand short connections leave nothing behind", async () => {
    await using target = await tcpServer((socket) => socket.end("bye"));
    await using pair = await connectPair({ client: { onOpen: dialTarget() } });
    await using entry = await tunnel(pair.server, target.port);
    let good = 0;
    const worker = async () => {
      for (let index = 0; index < 100; index += 1) {
        const answer = await exchange(entry.port, Buffer.alloc(0), "stay");
        if (answer.toString() === "bye") good += 1;
      }
    };
    await Promise.all(Array.from({ length: 10 }, worker));
    expect(good).toBe(1000);
    await expect.poll(() => pair.server.channelCount + pair.client.channelCount).toBe(0);
  });

  it("or not, a target that cannot be reached is seen as a channel that closes at once", async () => {
    await using refusing = await refusingPort();
    await using pair = await connectPair({ client: { onOpen: dialTarget() } });
    const channel = await pair.server.open("rport", Buffer.from(`127.0.0.1:${refusing.port}`));
    expect((await buffer(channel)).length).toBe(0);
    await expect.poll(() => pair.server.channelCount + pair.client.channelCount).toBe(0);
  });
});

it("the server's line may arrive in the same packet as the answer to the upgrade", async () => {
  const sockets = new WebSocketServer({ noServer: true });
  const http = createServer();
  http.on("upgrade", (request, socket, head) => {
    socket.cork();
    sockets.handleUpgrade(request, socket, head, (ws) => {
      serverTransport(ws, { serverKey: SERVER_KEY, login: LOGIN });
    });
    process.nextTick(() => socket.uncork());
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  for (let round = 0; round < 5; round += 1) {
    const transport = clientOf(dial(`ws://127.0.0.1:${port}/`));
    expect((await transport.ready).remoteIdent).toBe("SSH-rport-v1-server");
    transport.close("done");
    await transport.closed;
  }
  http.closeAllConnections();
  http.close();
});
