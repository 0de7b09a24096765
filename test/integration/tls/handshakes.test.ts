import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { fakeRelease } from "../../support/agents/agentRelease.ts";
import type { StartOptions } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { startTlsBackend, type TlsBackend } from "../../support/tls/tlsBackend.ts";

const PATIENT = { timeout: 60_000 };
/** Where the strangers of these tests come from; that address is no proxy's. */
const STRANGER = "127.0.0.9";
const request = (port: number, line = "GET /healthz", ...headers: readonly string[]): string =>
  `${[`${line} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...headers].join("\r\n")}\r\n\r\n`;
/** Handshake, TLS 1.0, 512 bytes to come, of a ClientHello. */
const BEGINNING = Buffer.from("1603010200010001fc0303", "hex");

function strict(limits: StartOptions["limits"] = {}): StartOptions {
  return { trustedProxies: ["10.9.9.9"], limits };
}

function plain(port: number): Socket {
  const socket = connectPlain({ port, host: "127.0.0.1", localAddress: STRANGER });
  socket.on("error", () => {});
  return socket;
}

async function secure(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ socket: plain(port), rejectUnauthorized: false, ...options });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

/** Resolves when it is over, also where it ended by an error. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once("close", () => resolve()));
}

/** All that comes back until the end. */
async function rest(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk) => {
    text += chunk;
  });
  await closeOf(socket);
  return text;
}

async function handshakesOf({ backend }: TlsBackend) {
  return { ...backend.tls.handshakes };
}

function bitesOf({ backend }: TlsBackend, limit: string): number | undefined {
  return backend.limits.states().find(({ name }) => name === limit)?.bites;
}

/** Every connection from outside has been let go of. */
async function nobodyIsLeft({ backend }: TlsBackend): Promise<void> {
  await eventually(() => expect(backend.sockets.counts.open).toBe(0));
}

describe("F-14: a TLS handshake", PATIENT, () => {
  it.each([
    ["that is never begun", Buffer.alloc(0)],
    ["of which half of the first message comes", BEGINNING],
  ])("%s ends within a few seconds, and is counted and logged", async (_what, bytes) => {
    await using backend = await startTlsBackend(strict());
    const sockets = Array.from({ length: 8 }, () => plain(backend.port));
    for (const socket of sockets) socket.write(bytes);
    const startMs = performance.now();
    expect(await Promise.all(sockets.map(rest))).toEqual(sockets.map(() => ""));
    expect(performance.now() - startMs).toBeLessThan(15_000);
    expect(await handshakesOf(backend)).toMatchObject({ late: 8, done: 0 });
    const lines = backend.logLines.filter((line) => line.includes("it took too long"));
    // five one by one, the others are counted at the end of the minute
    expect(lines).toHaveLength(5);
    expect(lines[0]).toContain(STRANGER);
    await nobodyIsLeft(backend);
  });

  it("that stands still after the server's part ends as soon", async () => {
    await using backend = await startTlsBackend(strict());
    const hello = execFileSync(process.execPath, ["-e", HELLO]);
    const socket = plain(backend.port);
    socket.write(hello);
    await once(socket, "data");
    await closeOf(socket.resume());
    expect(await handshakesOf(backend)).toMatchObject({ late: 1 });
    await nobodyIsLeft(backend);
  });

  it("begun byte by byte is one all the same", async () => {
    await using backend = await startTlsBackend(strict());
    const hello = execFileSync(process.execPath, ["-e", HELLO]);
    const socket = plain(backend.port).setNoDelay(true);
    for (const byte of hello) socket.write(Buffer.from([byte]));
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer[0]).toBe(0x16);
    socket.destroy();
    await nobodyIsLeft(backend);
  });

  it("is told that it is none where plain HTTP is spoken, as by an agent that was told http://", async () => {
    await using backend = await startTlsBackend(strict());
    const socket = plain(backend.port);
    socket.write(request(backend.port));
    const answer = await rest(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*This address speaks TLS: use https:\/\//);
    expect(await handshakesOf(backend)).toMatchObject({ plain: 1 });
    await nobodyIsLeft(backend);
  });

  it("of TLS 1.1 is refused, and of 1.2 and 1.3 taken", async () => {
    await using backend = await startTlsBackend(strict());
    const old = plain(backend.port);
    const refused = connect({
      socket: old,
      rejectUnauthorized: false,
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    const [error] = await once(refused, "error");
    expect(String(error)).toMatch(/alert|version/i);
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await secure(backend.port, { minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      socket.write(request(backend.port, "GET /healthz", "Connection: close"));
      expect(await rest(socket)).toContain("200 OK");
    }
    await eventually(async () =>
      expect(await handshakesOf(backend)).toMatchObject({ failed: 1, done: 2 }),
    );
  });

  it("is not done anew on a connection that is there", async () => {
    await using backend = await startTlsBackend(strict());
    const socket = await secure(backend.port, { maxVersion: "TLSv1.2" });
    const again = new Promise<Error | null>((resolve) => {
      socket.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    const outcome = await Promise.race([again, closeOf(socket).then(() => "closed")]);
    expect(outcome).not.toBeNull();
    socket.destroy();
    await nobodyIsLeft(backend);
  });
});

describe("F-14: a connection by TLS", PATIENT, () => {
  it.each([
    ["before their handshake", async (port: number) => plain(port)],
    ["after it", async (port: number) => await secure(port)],
  ])("makes room when too many of a network are silent %s", async (_what, open) => {
    await using backend = await startTlsBackend(strict({ silent_sockets_per_network: 4 }));
    const ended: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const socket = await open(backend.port);
      socket.resume().once("close", () => ended.push(n));
    }
    await eventually(async () => {
      const socket = await open(backend.port);
      socket.resume();
      expect(ended).toContain(0);
    });
    expect(bitesOf(backend, "silent_sockets_per_network")).toBeGreaterThan(0);
    const other = await fetchHealth(backend.port);
    expect(other).toContain("200 OK");
  });

  it("ends when it sends more requests than it waits for answers, and begins only the few", async () => {
    await using backend = await startTlsBackend(strict());
    const socket = await secure(backend.port);
    socket.write(request(backend.port).repeat(2_000));
    const answers = (await rest(socket)).split("200 OK").length - 1;
    expect(answers).toBeLessThanOrEqual(8);
    expect(bitesOf(backend, "pipelined_requests")).toBe(1);
    await nobodyIsLeft(backend);
  });

  it("ends when a body comes in thousands of pieces", async () => {
    await using backend = await startTlsBackend(strict());
    const socket = await secure(backend.port);
    const headers = ["Content-Type: application/json", "Transfer-Encoding: chunked"];
    socket.write(request(backend.port, "POST /api/v1/login", ...headers));
    socket.write("1\r\n \r\n".repeat(5_000));
    await rest(socket);
    expect(bitesOf(backend, "body_pieces")).toBe(1);
    await nobodyIsLeft(backend);
  });

  it("ends when nobody reads its answer", async () => {
    await using directory = await tempDirectory();
    const large = await fakeRelease(directory.path, { agent: "x".repeat(16 << 20) });
    const options = strict({ response_stall_ms: 1_000 });
    await using backend = await startTlsBackend({ ...options, agentFiles: large.directory });
    const socket = await secure(backend.port);
    socket.pause();
    socket.write(request(backend.port, `GET /agent/${large.version}/agent.cjs`));
    await eventually(() => expect(bitesOf(backend, "response_stall_ms")).toBe(1));
    await nobodyIsLeft(backend);
    socket.destroy();
  });

  it("is counted once, and gives its place back, however it ends", async () => {
    await using backend = await startTlsBackend(strict());
    const sockets = await Promise.all(Array.from({ length: 20 }, () => secure(backend.port)));
    expect(backend.backend.sockets.counts.open).toBe(20);
    for (const [n, socket] of sockets.entries()) {
      if (n % 3 === 0) socket.end();
      else if (n % 3 === 1) socket.destroy();
      else socket.write("rubbish\r\n\r\n");
    }
    await nobodyIsLeft(backend);
  });
});

describe("F-03: a flood of handshakes", PATIENT, () => {
  it("of one network lets another one's in", async () => {
    await using backend = await startTlsBackend(strict());
    let isOver = false;
    const flood = Array.from({ length: 40 }, async () => {
      while (!isOver) {
        const socket = await secure(backend.port).catch(() => undefined);
        socket?.destroy();
      }
    });
    for (let n = 0; n < 20; n += 1) {
      expect(await fetchHealth(backend.port)).toContain("200 OK");
    }
    isOver = true;
    await Promise.all(flood);
    expect(await handshakesOf(backend)).toMatchObject({ late: 0 });
  });
});

/** From another network than the strangers'. */
async function fetchHealth(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  socket.on("error", () => {});
  socket.write(request(port, "GET /healthz", "Connection: close"));
  return await rest(socket);
}

/** Prints the first message of a TLS client. */
const HELLO = `
const { Duplex } = require("node:stream");
const stream = new Duplex({ read() {}, write(chunk) { process.stdout.write(chunk, () => process.exit()); } });
require("node:tls").connect({ socket: stream }).on("error", () => {});
`;
