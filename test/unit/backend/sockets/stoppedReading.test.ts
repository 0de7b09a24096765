import { once } from "node:events";
import { type AddressInfo, connect, createServer, Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { systemClock } from "../../../../backend/src/platform/clock.ts";
import { ReadingPace } from "../../../../backend/src/sockets/readingPace.ts";
import { stopWhileUnread } from "../../../../backend/src/sockets/stoppedReading.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

const ONE = Buffer.of(1);

function pace(): ReadingPace {
  const limits = new Limits({ clock: systemClock, log: testLog().log });
  return new ReadingPace({
    limits,
    // however busy the machine is, a turn is not over here
    clock: new FakeClock(),
    onFault: (error) => {
      throw error;
    },
  });
}

it.each([
  ["paced", (socket: Socket) => pace().enter(socket)],
  ["of a tunnel", stopWhileUnread],
])(
  "F-14: a socket %s that nobody reads takes one piece, and leaves the rest to the system",
  async (_, enter) => {
    const socket = new Socket();
    enter(socket);
    let bytes = 0;
    socket.on("data", (data) => {
      bytes += data.length;
    });
    await nextTurn();
    expect(socket.push(ONE)).toBe(true);
    socket.pause();
    // The answer that makes Node stop: it would go on to 65,536 pieces.
    expect(socket.push(ONE)).toBe(false);
    expect([bytes, socket.readableLength]).toEqual([1, 1]);
  },
);

it("gets all in order, and the end, however often it stops", async () => {
  const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, n) => (n * 7) % 251));
  const got = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    stopWhileUnread(socket);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      if (chunks.length % 3 !== 0) return;
      socket.pause();
      setImmediate(() => socket.resume());
    });
    socket.on("end", () => got.resolve(Buffer.concat(chunks)));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const peer = connect((server.address() as AddressInfo).port, "127.0.0.1");
  peer.end(sent);
  expect((await got.promise).equals(sent)).toBe(true);
  server.close();
  await once(server, "close");
});
