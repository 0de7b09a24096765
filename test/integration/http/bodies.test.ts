import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";

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

const bitesOf = ({ backend }: RunningBackend, limit = "body_pieces"): number | undefined =>
  backend.limits.states().find(({ name }) => name === limit)?.bites;

/** What all bodies take now that are not used yet. */
const usedBy = ({ backend }: RunningBackend): number | undefined =>
  backend.limits.states().find(({ name }) => name === "body_bytes")?.used;

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

  it("takes so much memory at the most, of a network: the one that takes most is ended", async () => {
    // Otherwise this machine may be a proxy, with many networks behind it.
    const trustedProxies = ["192.0.2.1"];
    const limits = { body_bytes_per_network: 256 << 10 };
    await using backend = await startBackend({ limits, trustedProxies });
    const small = post(backend, "/api/v1/login", CHUNKED);
    small.socket.write(CHUNK.repeat(100));
    await eventually(() => expect(usedBy(backend)).toBeGreaterThan(40_000));
    const large = post(backend, "/api/v1/login", CHUNKED);
    large.socket.write(CHUNK.repeat(700));
    await large.closed;
    expect(bitesOf(backend, "body_bytes_per_network")).toBe(1);
    expect(usedBy(backend)).toBe(100 * 401);
    small.socket.write(`0\r\n\r\n`);
    await eventually(() => expect(small.received()).toContain("400 Bad Request"));
    expect(usedBy(backend)).toBe(0);
    small.socket.destroy();
  });

  it("takes no memory when it was answered unread", async () => {
    await using backend = await startBackend();
    const { socket, received, closed } = post(backend, "/nothing", CHUNKED);
    await eventually(() => expect(received()).toContain("404 Not Found"));
    socket.write(
      `${CHUNK.repeat(900)}0\r\n\r\n${head(backend, "GET /healthz", ["Connection: close"])}`,
    );
    await closed;
    expect(received()).toContain('{"alive":true}');
    expect(usedBy(backend)).toBe(0);
  });
});
