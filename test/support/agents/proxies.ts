import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import net, { type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";

/** A user and a password. */
export interface ProxyLogin {
  readonly user: string;
  readonly password: string;
}

/** A proxy on loopback, and what it was asked to connect to, as it was written. */
export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  readonly targets: readonly string[];
}

/** A key with its certificate, in PEM. */
export type Pem = Buffer;

/** An HTTP proxy that knows CONNECT; with a certificate it is reached over TLS. */
export async function startHttpProxy(login?: ProxyLogin, pem?: Pem): Promise<TestProxy> {
  const targets: string[] = [];
  const open = new OpenSockets();
  const expected =
    login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}`;
  const server = pem === undefined ? createServer() : createHttpsServer({ key: pem, cert: pem });
  server.on("connect", (request: IncomingMessage, socket: Duplex) => {
    open.add(socket);
    if (request.headers["proxy-authorization"] !== expected) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const target = request.url ?? "";
    targets.push(target);
    const colon = target.lastIndexOf(":");
    const host = target.slice(0, colon).replace(/^\[|\]$/g, "");
    open.join(socket, { host, port: Number(target.slice(colon + 1)) }, () =>
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n"),
    );
  });
  return await listening(server, targets, open);
}

/** A SOCKS5 proxy (RFC 1928) that knows CONNECT; with a login, it insists on it (RFC 1929). */
export async function startSocksProxy(login?: ProxyLogin): Promise<TestProxy> {
  const targets: string[] = [];
  const open = new OpenSockets();
  const server = net.createServer((socket) => {
    open.add(socket);
    void socksSession(new ByteReader(socket), { login, targets, open }).catch(() =>
      socket.destroy(),
    );
  });
  return await listening(server, targets, open);
}

/** TLS in front of a server of this machine. */
export async function startTlsFront(port: number, pem: Pem): Promise<TestProxy> {
  const open = new OpenSockets();
  const server = tls.createServer({ key: pem, cert: pem }, (socket) => {
    open.add(socket);
    open.join(socket, { host: "127.0.0.1", port }, () => {});
  });
  return await listening(server, [], open);
}

/** Sockets to be destroyed at the end. */
class OpenSockets {
  readonly #sockets = new Set<Duplex>();

  add(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }

  /** Connects a socket with a target, both ways; names below `.test` mean this machine. */
  join(socket: Duplex, target: { host: string; port: number }, onConnected: () => void): void {
    const host = target.host.endsWith(".test") ? "127.0.0.1" : target.host;
    const upstream = net.connect({ host, port: target.port }, () => {
      onConnected();
      socket.pipe(upstream).pipe(socket);
    });
    this.add(upstream);
    upstream.on("error", () => socket.destroy());
    socket.on("close", () => upstream.destroy());
    upstream.on("close", () => socket.destroy());
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function listening(
  server: net.Server | Server,
  targets: readonly string[],
  open: OpenSockets,
): Promise<TestProxy> {
  server.listen(0, "0.0.0.0");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    targets,
    async [Symbol.asyncDispose]() {
      open.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads a socket in pieces of known sizes. */
class ByteReader {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
  }

  async take(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      const [chunk] = (await once(this.socket, "data")) as [Buffer];
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    }
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  async takeText(): Promise<string> {
    const [length = 0] = await this.take(1);
    return (await this.take(length)).toString();
  }
}

interface SocksServer {
  readonly login: ProxyLogin | undefined;
  readonly targets: string[];
  readonly open: OpenSockets;
}

const NO_LOGIN = 0;
const WITH_LOGIN = 2;
const NO_METHOD = 0xff;

async function socksSession(reader: ByteReader, server: SocksServer): Promise<void> {
  const { socket } = reader;
  const { login, targets, open } = server;
  const [, count = 0] = await reader.take(2);
  const offered = [...(await reader.take(count))];
  const wanted = login === undefined ? NO_LOGIN : WITH_LOGIN;
  socket.write(Buffer.of(5, offered.includes(wanted) ? wanted : NO_METHOD));
  if (login !== undefined) {
    await reader.take(1);
    const [user, password] = [await reader.takeText(), await reader.takeText()];
    const isRight = user === login.user && password === login.password;
    socket.write(Buffer.of(1, isRight ? 0 : 1));
    if (!isRight) return void socket.end();
  }
  const [, , , type = 0] = await reader.take(4);
  const host = await socksHost(reader, type);
  const port = (await reader.take(2)).readUInt16BE(0);
  targets.push(`${host}:${port}`);
  open.join(socket, { host, port }, () => socket.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0)));
}

async function socksHost(reader: ByteReader, type: number): Promise<string> {
  if (type === 3) return await reader.takeText();
  const bytes = await reader.take(type === 1 ? 4 : 16);
  if (type === 1) return [...bytes].join(".");
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(2 * n).toString(16));
  return groups.join(":");
}
