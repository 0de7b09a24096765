import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { askService } from "../../../../backend/src/pairing/targets/askService.ts";

/** What a pairing service in wrong hands may answer with. */
let service: Server;
let answer: (socket: Socket, head: string) => void;
let sent = 0;
const sockets = new Set<Socket>();

beforeEach(async () => {
  sent = 0;
  service = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("data", (data) => answer(socket, data.toString("latin1")));
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => service.close(resolve));
});

function endless(socket: Socket, piece: string): void {
  const bytes = Buffer.from(piece);
  const more = () => {
    while (!socket.destroyed && socket.write(bytes)) sent += bytes.length;
  };
  socket.on("drain", more);
  more();
}

function ask(signal?: AbortSignal) {
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/below/`;
  return askService({
    url,
    path: "/steps",
    method: "POST",
    body: { a: 1 },
    bearer: "key",
    maxBytes: 1_000,
    signal,
  });
}

it.each([
  ["answers in advance", "HTTP/1.1 102 Processing\r\n\r\n".repeat(2_000)],
  ["hints", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1_000)],
  ["a head", `HTTP/1.1 200 OK\r\n${"X-A: b\r\n".repeat(2_000)}`],
  ["a body", `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${"x".repeat(10_000)}`],
])("is given up when it sends %s without end", async (_what, piece) => {
  answer = (socket) => endless(socket, piece);
  await expect(ask()).rejects.toMatchObject({ code: "PAIRING_SERVICE", detail: "unreachable" });
  expect(sent).toBeLessThan(16 << 20);
});

it("is asked for something else when its answer is an upgrade, or none", async () => {
  answer = (socket) =>
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
  await expect(ask()).rejects.toMatchObject({ code: "PAIRING_SERVICE", detail: "unreachable" });
  answer = (socket) => socket.end();
  await expect(ask()).rejects.toMatchObject({ code: "PAIRING_SERVICE", detail: "unreachable" });
});

it("is believed after a few answers in advance, and followed nowhere", async () => {
  let head = "";
  answer = (socket, text) => {
    head = text;
    const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(3);
    socket.end(`${hints}HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 2\r\n\r\nhi`);
  };
  expect(await ask()).toEqual({ status: 302, text: "hi" });
  expect(head).toMatch(/^POST \/below\/steps HTTP/);
  expect(head).toMatch(/content-length: 7\r\n/i);
  expect(head).toMatch(/authorization: bearer key\r\n/i);
});

it("is left with the reason of the signal", async () => {
  const over = new AbortController();
  answer = () => over.abort(new Error("nobody waits any more"));
  await expect(ask(over.signal)).rejects.toThrow("nobody waits any more");
});
