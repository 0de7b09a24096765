import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lookAt } from "../../../../extension/src/tunnels/look.ts";
import { freePort } from "../../../support/freePort.ts";
import { ROOT } from "../../../support/repository.ts";
import { tcpServer } from "../../../support/wire/wireTunnel.ts";

const PATIENCE = { greetingMs: 200, answerMs: 4_000 };
/** A port of the host that is known for nothing, one for web pages, and others. */
const [UNKNOWN, WEB, SECURE, POSTGRES, PRINTER] = [45_000, 8_080, 443, 5_432, 9_100];

/** What is found of a service that does this with each connection, and what it was told. */
async function found(remotePort: number, onSocket: (socket: Socket) => void) {
  const heard: Buffer[] = [];
  await using server = await tcpServer((socket) => {
    socket.on("error", () => undefined).on("data", (chunk) => void heard.push(chunk));
    onSocket(socket);
  });
  const kind = await lookAt(server.port, remotePort, PATIENCE);
  return { kind, heard: Buffer.concat(heard).toString("latin1") };
}

/** The same of a web server of Node. */
async function ofWeb(
  server: ReturnType<typeof createServer | typeof createSecureServer>,
  remotePort: number,
) {
  await using front = await tcpServer((socket) => void server.emit("connection", socket));
  return await lookAt(front.port, remotePort, PATIENCE);
}

const answer = (_: unknown, response: { end(text: string): void }) => response.end("hello");
const pem = await readFile(join(ROOT, "test/fixtures/self-signed-localhost.pem"));
const secure = () => createSecureServer({ key: pem, cert: pem }, answer);

describe("a look at the end of a tunnel", () => {
  it("finds what greets, and says nothing to it", async () => {
    const greeting = (text: string) => (socket: Socket) => void socket.write(text);
    expect(await found(UNKNOWN, greeting("SSH-2.0-x\r\n"))).toEqual({ kind: "ssh", heard: "" });
    expect(await found(PRINTER, greeting("RFB 003.008\n"))).toEqual({ kind: "vnc", heard: "" });
  });

  it("finds web servers, with TLS or without, on whatever port", async () => {
    expect(await ofWeb(createServer(answer), UNKNOWN)).toBe("http");
    expect(await ofWeb(createServer(answer), WEB)).toBe("http");
    expect(await ofWeb(createServer(answer), SECURE)).toBe("http");
    expect(await ofWeb(secure(), SECURE)).toBe("https");
    expect(await ofWeb(secure(), UNKNOWN)).toBe("https");
  });

  it("finds PostgreSQL by its answer, and another silent service by none", async () => {
    const postgres = await found(POSTGRES, (socket) => socket.on("data", () => socket.write("N")));
    expect(postgres.kind).toBe("postgres");
    const silent = await found(PRINTER, () => undefined);
    expect(silent).toEqual({ kind: undefined, heard: "" });
  });

  it("takes what closes, resets or is not there for nothing", async () => {
    expect(await found(UNKNOWN, (socket) => socket.destroy())).toMatchObject({ kind: undefined });
    expect(await found(POSTGRES, (socket) => socket.end())).toMatchObject({ kind: undefined });
    expect(await lookAt(await freePort(), WEB, PATIENCE)).toBeUndefined();
  });

  it("takes what talks without end for something, and does not listen for long", async () => {
    const endless = Buffer.alloc(64 << 10, "x");
    const { kind } = await found(UNKNOWN, (socket) => {
      const more = () => socket.write(endless, () => setImmediate(() => socket.writable && more()));
      more();
    });
    expect(kind).toBe("other");
  });
});
