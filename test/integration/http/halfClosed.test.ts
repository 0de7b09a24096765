import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { startTlsBackend } from "../../support/tls/tlsBackend.ts";

/** What comes back for a request behind which no more is said, until the server ends the connection. */
async function halfClosed(socket: Socket, request: string): Promise<string> {
  let text = "";
  socket.on("error", () => {});
  socket.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  socket.end(request);
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

const plain = (port: number): Socket => connect({ port, host: "127.0.0.1", allowHalfOpen: true });
const secure = (port: number): Socket =>
  connectTls({ socket: plain(port), rejectUnauthorized: false });

describe.each<[string, () => Promise<RunningBackend>, (port: number) => Socket]>([
  ["HTTP", startBackend, plain],
  ["HTTPS", startTlsBackend, secure],
])("F-14: whoever says no more behind a request, over %s,", (_scheme, start, open) => {
  const headOf = ({ port, token }: RunningBackend, line: string): string =>
    `${line} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n`;

  it("is answered, and the connection ends", async () => {
    await using backend = await start();
    const before = backend.backend.sockets.counts.open;
    const asked = `${headOf(backend, "GET /api/v1/status")}\r\n`;
    expect(await halfClosed(open(backend.port), asked)).toMatch(/^HTTP\/1\.1 200 /);
    await eventually(() => expect(backend.backend.sockets.counts.open).toBe(before));
  });

  it("is told that a change was made", async () => {
    await using backend = await start();
    const body = '{"id":"half"}';
    const head = headOf(backend, "POST /api/v1/clients-auth");
    const sent = `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect(await halfClosed(open(backend.port), sent)).toMatch(/^HTTP\/1\.1 201 /);
    const ids = [...backend.backend.credentials.list()].map(({ id }) => id);
    expect(ids).toContain("half");
  });

  it("in the middle of a change makes none", async () => {
    await using backend = await start();
    const head = headOf(backend, "POST /api/v1/clients-auth");
    const sent = `${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"id":"half"}`;
    expect(await halfClosed(open(backend.port), sent)).not.toMatch(/^HTTP\/1\.1 2/);
    const ids = [...backend.backend.credentials.list()].map(({ id }) => id);
    expect(ids).not.toContain("half");
  });
});
