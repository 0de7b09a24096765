import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CLOSE_CODES, RportError, toEnvelope } from "@rport/protocol/errors";
import { TERMINAL_PATH } from "@rport/protocol/http";
import { encodeFrame, type Frame, FrameReader } from "@rport/protocol/terminal/frame";
import { describe, expect, it, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { dialTerminal } from "../../../../extension/src/terminals/dialTerminal.ts";
import type { Way } from "../../../../extension/src/terminals/fleetWays.ts";
import type { LinkEnd } from "../../../../extension/src/terminals/link.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";

/** A viewer that the server has let in. */
interface Joined {
  readonly socket: WebSocket;
  readonly path: string;
  readonly authorization: string | undefined;
  /** What it has sent. */
  readonly messages: Buffer[];
}

/** The server's side of viewers' sockets. */
async function startServer() {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, autoPong: false });
  const joined: Joined[] = [];
  let refusal: RportError | undefined;
  http.on("upgrade", (request, socket, head) => {
    if (refusal !== undefined) {
      const body = JSON.stringify(toEnvelope(refusal));
      const length = Buffer.byteLength(body);
      socket.end(`HTTP/1.1 ${refusal.status} No\r\nContent-Length: ${length}\r\n\r\n${body}`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { authorization } = request.headers;
      const messages: Buffer[] = [];
      webSocket.on("message", (data) => messages.push(data as Buffer));
      joined.push({ socket: webSocket, path: request.url ?? "", authorization, messages });
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    joined,
    refuse(error: RportError) {
      refusal = error;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

async function dialled(way?: Way) {
  const server = await startServer();
  const clock = new FakeClock();
  const frames: Frame[] = [];
  const ends: LinkEnd[] = [];
  const ready: Way = { kind: "ready", url: server.url, authorization: "Bearer a-token" };
  const link = () =>
    dialTerminal({
      way: async () => way ?? ready,
      clientId: "web 01",
      clock,
    })({
      opening: () => ({ size: { cols: 80, rows: 24 }, wish: { kind: "new", env: { TERM: "vt" } } }),
      onFrame: (frame) => frames.push(frame),
      onEnd: (end) => ends.push(end),
    });
  const joined = async () => {
    const opened = link();
    await eventually(() => expect(server.joined).toHaveLength(1));
    const [first] = server.joined;
    if (first === undefined) throw new Error("nobody has joined");
    return { ...first, link: opened };
  };
  return {
    server,
    clock,
    frames,
    ends,
    link,
    joined,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe("the connection of a viewer", () => {
  it("says what it wants first, with the token in a header, and carries frames both ways", async () => {
    await using one = await dialled();
    const { socket, path, authorization, messages, link } = await one.joined();
    expect(path).toBe(`${TERMINAL_PATH}?client_id=web+01`);
    expect(authorization).toBe("Bearer a-token");
    await eventually(() => expect(messages).toHaveLength(1));
    link.send(encodeFrame({ kind: "input", offset: 0, bytes: Buffer.from("ls") }));
    await eventually(() => expect(messages).toHaveLength(2));
    const [open, input] = new FrameReader().read(Buffer.concat(messages));
    expect(open?.kind === "open" && JSON.parse(open.json.toString())).toEqual({
      size: { cols: 80, rows: 24 },
      wish: { kind: "new", env: { TERM: "vt" } },
    });
    expect(input).toMatchObject({ kind: "input", offset: 0 });
    const bytes = encodeFrame({ kind: "output", offset: 0, bytes: Buffer.from("$ ") });
    socket.send(bytes.subarray(0, 5));
    socket.send(bytes.subarray(5));
    await eventually(() => expect(one.frames).toMatchObject([{ kind: "output", offset: 0 }]));
    link.close();
    await once(socket, "close");
    expect(one.ends).toEqual([]);
  });

  it.each([
    [CLOSE_CODES.refused, "There is none.", { kind: "refused", reason: "There is none." }],
    [CLOSE_CODES.takenOver, "", { kind: "takenOver" }],
    [CLOSE_CODES.cutOff, "It was cut.", { kind: "lost", reason: "It was cut." }],
    [CLOSE_CODES.stopping, "", { kind: "lost", reason: "The connection to the server was lost." }],
    [CLOSE_CODES.unauthorized, "Bye.", { kind: "lost", reason: "Bye." }],
  ])("understands why it was ended: %i", async (code, reason, end) => {
    await using one = await dialled();
    const { socket } = await one.joined();
    socket.close(code, reason);
    await eventually(() => expect(one.ends).toEqual([end]));
  });

  it.each([
    ["FORBIDDEN", "refused"],
    ["UNAVAILABLE", "lost"],
    ["TOO_MANY_REQUESTS", "lost"],
    ["UNAUTHORIZED", "lost"],
  ] as const)("understands why it was not opened: %s", async (code, kind) => {
    await using one = await dialled();
    one.server.refuse(new RportError(code, "Not now."));
    one.link();
    await eventually(() => expect(one.ends).toEqual([{ kind, reason: "Not now." }]));
  });

  it("says of a server that has nothing there that it may be too old", async () => {
    await using one = await dialled();
    one.server.refuse(new RportError("NOT_FOUND", "There is no WebSocket here."));
    one.link();
    await eventually(() => expect(one.ends).toHaveLength(1));
    expect(one.ends[0]).toMatchObject({ kind: "refused" });
    expect(JSON.stringify(one.ends)).toContain("earlier version");
  });

  it.each([
    [{ kind: "noToken", why: "It is locked." } as const, "It is locked."],
    [{ kind: "unavailable", reason: "It does not run." } as const, "It does not run."],
  ])(
    "waits for a token that cannot be read, and for a server that does not run",
    async (way, reason) => {
      await using one = await dialled(way);
      one.link();
      await eventually(() => expect(one.ends).toEqual([{ kind: "lost", reason }]));
    },
  );

  it("is over where there is no way any more", async () => {
    await using one = await dialled({ kind: "gone", reason: "It is gone." });
    one.link();
    await eventually(() => expect(one.ends).toEqual([{ kind: "refused", reason: "It is gone." }]));
  });

  it("asks when nothing comes for long, and gives up one that does not answer", async () => {
    await using one = await dialled();
    const { socket, messages } = await one.joined();
    const pings = vi.fn();
    socket.on("ping", pings);
    await eventually(() => expect(messages).toHaveLength(1));
    one.clock.advance(20_000);
    await eventually(() => expect(pings).toHaveBeenCalledOnce());
    socket.pong();
    await eventually(() => {
      one.clock.advance(1);
      expect(one.ends).toEqual([]);
    });
    one.clock.advance(25_000);
    expect(one.ends).toEqual([{ kind: "lost", reason: "It stopped answering." }]);
  });

  it("takes nothing more from a server that sends what is no frame", async () => {
    await using one = await dialled();
    const { socket } = await one.joined();
    socket.send(Buffer.from([0, 0, 0, 0]));
    await eventually(() => expect(one.ends).toMatchObject([{ kind: "refused" }]));
    expect(one.frames).toEqual([]);
  });
});
