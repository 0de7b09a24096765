import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";

const CHUNKED = ["Content-Type: application/json", "Transfer-Encoding: chunked"];
const CHUNK = "1\r\nx\r\n";
const PATHS = ["/nothing", "/healthz", "/api/v1/clients-auth"];

/** The head of a request that leaves its connection open. */
const head = ({ port }: RunningBackend, line: string, fields: readonly string[]): string =>
  `${[`${line} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...fields].join("\r\n")}\r\n\r\n`;

/** A request whose body somebody is about to send, and what is answered on its connection. */
function post(backend: RunningBackend, path: string, fields: readonly string[]) {
  const socket = connect({ port: backend.port, host: "127.0.0.1" });
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  let received = "";
  socket.setEncoding("latin1").on("data", (text) => {
    received += text;
  });
  socket.write(head(backend, `POST ${path}`, fields));
  return { socket, received: () => received, closed };
}

/** Sends the same again and again until the connection ends. */
function sendOn(socket: Socket, text: string): void {
  const bytes = Buffer.from(text);
  const send = (): void => {
    if (!socket.destroyed && socket.write(bytes)) setImmediate(send);
  };
  socket.on("drain", send);
  send();
}

const bitesOf = ({ backend }: RunningBackend): number | undefined =>
  backend.limits.states().find(({ name }) => name === "body_pieces")?.bites;

describe("F-14: the body of a request", () => {
  it.each(PATHS)("that never ends, in chunks of a byte, ends its connection: %s", async (path) => {
    await using backend = await startBackend();
    const { socket, closed } = post(backend, path, CHUNKED);
    sendOn(socket, CHUNK.repeat(1_000));
    await closed;
    expect(bitesOf(backend)).toBe(1);
  });

  it("that was answered unread may come in a thousand pieces and no more", async () => {
    await using backend = await startBackend();
    const fine = post(backend, "/nothing", CHUNKED);
    fine.socket.write(`${CHUNK.repeat(1_000)}0\r\n\r\n`);
    fine.socket.write(head(backend, "GET /healthz", ["Connection: close"]));
    await fine.closed;
    expect(fine.received()).toContain("404 Not Found");
    expect(fine.received()).toContain('{"alive":true}');
    expect(bitesOf(backend)).toBe(0);

    const endless = post(backend, "/nothing", CHUNKED);
    endless.socket.write(CHUNK.repeat(1_025));
    await endless.closed;
    expect(bitesOf(backend)).toBe(1);
  });

  it("that is large and was answered unread leaves its connection to the next request", async () => {
    await using backend = await startBackend();
    const bytes = 1 << 20;
    const one = post(backend, "/nothing", [`Content-Length: ${bytes}`]);
    one.socket.write(Buffer.alloc(bytes));
    one.socket.write(head(backend, "GET /healthz", ["Connection: close"]));
    await one.closed;
    expect(one.received()).toContain("404 Not Found");
    expect(one.received()).toContain('{"alive":true}');
  });
});
