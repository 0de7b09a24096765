import type { RequestListener } from "node:http";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { UpgradeDoor } from "../../../backend/src/http/upgrade.ts";
import { Limits } from "../../../backend/src/limits/limits.ts";
import type { SetLimits } from "../../../backend/src/limits/limitTable.ts";
import { systemClock } from "../../../backend/src/platform/clock.ts";
import { LogBursts } from "../../../backend/src/platform/logBursts.ts";
import { Listener } from "../../../backend/src/server.ts";
import { OpenSockets } from "../../../backend/src/sockets/openSockets.ts";
import { eventually } from "../../support/eventually.ts";
import { testLog } from "../../support/log.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const ONE_ANSWERED = "HTTP/1.1 200 OK";

const answersLater: RequestListener = (_request, response) => {
  setImmediate(() => response.end());
};

/** An address that answers in a later turn unless told otherwise, and how many requests it began. */
async function setUp(
  answer: RequestListener = answersLater,
  values: SetLimits = {},
  doors: readonly UpgradeDoor[] = [],
) {
  const { log } = testLog();
  const limits = new Limits({ values, clock: systemClock, log });
  const sockets = new OpenSockets({
    limits,
    isProxy: () => true,
    clock: systemClock,
    onFault: (error) => {
      throw error;
    },
  });
  let begun = 0;
  const onRequest: RequestListener = (request, response) => {
    begun += 1;
    answer(request, response);
  };
  const place = { host: "127.0.0.1", port: 0, faces: new Set<never>() };
  const strangers = new LogBursts({ clock: systemClock });
  const deps = { onRequest, doors, sockets, limits, clock: systemClock, log, strangers };
  const listener = await Listener.open(place, deps);
  onTestFinished(() => listener.close());
  const { port } = listener;
  /** Sends this; what came back until the connection ended, or there were so many answers. */
  const send = async (text: string, answers = Number.POSITIVE_INFINITY): Promise<number> => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    let received = "";
    const count = (): number => received.split(ONE_ANSWERED).length - 1;
    socket.setEncoding("latin1").on("data", (chunk) => {
      received += chunk;
      if (count() >= answers) socket.destroy();
    });
    socket.write(text);
    await new Promise((resolve) => socket.once("close", resolve));
    return count();
  };
  const bites = (limit = "pipelined_requests") =>
    limits.states().find(({ name }) => name === limit)?.bites;
  const open = () => sockets.counts.open;
  return { url: `http://127.0.0.1:${port}`, port, send, begun: () => begun, bites, open };
}

/** What comes back for this until the connection has ended. */
async function received(port: number, text: string, end?: "half"): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  let got = "";
  socket.setEncoding("latin1").on("data", (chunk) => {
    got += chunk;
  });
  socket.on("end", () => socket.end());
  if (end === "half") socket.end(text);
  else socket.write(text);
  await new Promise((resolve) => socket.once("close", resolve));
  return got;
}

describe("F-14: requests of a connection that waits for no answer", () => {
  it("are answered as long as they are few, however many come after that", async () => {
    const { url, send, begun, bites } = await setUp();
    expect(await send(REQUEST.repeat(8), 8)).toBe(8);
    for (let n = 0; n < 20; n += 1) await (await fetch(url)).text();
    expect([begun(), bites()]).toEqual([28, 0]);
  });

  it.each([
    ["requests", REQUEST],
    ["requests with bodies", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"],
    [
      "requests for a WebSocket behind them",
      `${REQUEST.repeat(9)}GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    ],
  ])("end it when they are many, and cost no more than the few: %s", async (_what, text) => {
    const { send, begun, bites } = await setUp();
    expect(await send(text.repeat(1_000))).toBe(0);
    expect([begun(), bites()]).toEqual([8, 1]);
  });
});

describe("F-14: whoever says no more behind their requests", () => {
  it("is answered all of them, in order, and then the connection ends", async () => {
    const answers: (() => void)[] = [];
    const { port, open } = await setUp(({ url, socket }, response) => {
      answers.push(() => response.end(url));
      if (answers.length < 3) return;
      // The last one first, once all was said
      socket.once("end", () => {
        for (const give of answers.reverse()) setImmediate(give);
      });
    });
    const asked = ["/1", "/2", "/3"].map((path) => REQUEST.replace("/", path)).join("");
    const text = await received(port, asked, "half");
    expect(text.match(/\/[123]$|\/[123](?=HTTP)/g)).toEqual(["/1", "/2", "/3"]);
    await eventually(() => expect(open()).toBe(0));
  });

  it("has no connection any more where there is nothing to be answered", async () => {
    const { port, open } = await setUp();
    expect(await received(port, "", "half")).toBe("");
    expect(await received(port, "GET / HTTP/1.1\r\nHo", "half")).toMatch(/^HTTP\/1\.1 400 /);
    await eventually(() => expect(open()).toBe(0));
  });

  it("has none for longer than an answer may wait to be taken", async () => {
    const large = Buffer.alloc(32 << 20);
    const answer: RequestListener = ({ socket }, response) =>
      void socket.once("end", () => setImmediate(() => response.end(large)));
    const { port, bites, open } = await setUp(answer, { response_stall_ms: 300 });
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {});
    socket.pause();
    socket.end(REQUEST);
    await eventually(() => expect(bites("response_stall_ms")).toBe(1));
    await eventually(() => expect(open()).toBe(0));
  });
});

describe("F-14: requests whose connection has ended", () => {
  it.each([
    ["the peer", 8],
    ["the limit", 9],
  ])("are over, each once, also those behind another one: ended by %s", async (_whom, sent) => {
    const closes: number[] = [];
    let requestsOver = 0;
    const { port, begun } = await setUp((request, response) => {
      const index = closes.push(0) - 1;
      response.on("close", () => {
        closes[index] = (closes[index] ?? 0) + 1;
      });
      request.on("close", () => {
        requestsOver += 1;
      });
      // All but the first are answered, and none of these can be sent before the first is.
      if (index > 0) response.end("x");
    });
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx".repeat(sent));
    await eventually(() => expect(begun()).toBe(8));
    socket.resetAndDestroy();
    await eventually(() => expect(closes).toEqual(Array.from({ length: 8 }, () => 1)));
    await eventually(() => expect(requestsOver).toBe(8));
  });
});

describe("F-14: an upgrade behind a request that waits for its answer", () => {
  const UPGRADE = `${REQUEST.trimEnd()}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
  const CONNECT = "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n";
  const GRANTED = "HTTP/1.1 101 Granted\r\n\r\n";
  const door: UpgradeDoor = {
    takes: () => true,
    upgrade: ({ socket }) => socket.end(GRANTED),
  };

  it.each([
    ["an upgrade", UPGRADE],
    ["CONNECT", CONNECT],
  ])("ends the connection: nothing is written in the answer's place: %s", async (_what, asked) => {
    const { port } = await setUp(() => {}, {}, [door]);
    expect(await received(port, REQUEST + asked)).toBe("");
  });

  it("ends it also where a later answer is there already, and waits for an earlier one", async () => {
    const answer: RequestListener = (request, response) => {
      if (request.url === "/quick") response.end("x");
    };
    const { port } = await setUp(answer, {}, [door]);
    const quick = REQUEST.replace("/", "/quick");
    expect(await received(port, REQUEST + quick + UPGRADE)).toBe("");
  });

  it("is granted where the answer is on its way", async () => {
    const { port } = await setUp((_request, response) => response.end("x"), {}, [door]);
    const text = await received(port, REQUEST + UPGRADE);
    expect(text.startsWith(ONE_ANSWERED)).toBe(true);
    expect(text.endsWith(`x${GRANTED}`)).toBe(true);
  });
});

describe("F-14: an upgrade that is refused", () => {
  it("ends its connection also when nobody takes what was answered before it", async () => {
    // More than what the system's own buffers take, so that the rest stays with the server
    const large = Buffer.alloc(32 << 20);
    const answer: RequestListener = (_request, response) => response.end(large);
    const { port, bites, open } = await setUp(answer, { response_stall_ms: 300 });
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.pause();
    socket.write(
      `${REQUEST}${REQUEST.trimEnd()}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    await eventually(() => expect(bites("response_stall_ms")).toBe(1));
    await eventually(() => expect(open()).toBe(0));
  });
});
