import { createHash } from "node:crypto";
import net, { type AddressInfo, type Socket } from "node:net";
import type { ChannelDecision, Connection } from "@rport/protocol/wire/connection";
import { type RelayResult, Relays, relay } from "@rport/protocol/wire/relay";

/** A TCP server on loopback that is closed with its sockets. */
export interface TcpServer extends AsyncDisposable {
  readonly port: number;
}

/** Serves every connection with `onSocket`; half-open sockets stay open. */
export async function tcpServer(onSocket: (socket: Socket) => void): Promise<TcpServer> {
  const sockets = new Set<Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A listener whose connections travel over `connection` to what `dialTarget` connects to. */
export async function tunnel(
  connection: Connection,
  target: number,
  onEnd: (result: RelayResult) => void = () => {},
): Promise<TcpServer> {
  const relays = new Relays();
  return await tcpServer((socket) => {
    socket.pause();
    connection.open("rport", Buffer.from(`127.0.0.1:${target}`)).then(
      (channel) => void relay(socket, channel, relays).then(onEnd),
      () => socket.destroy(),
    );
  });
}

/** The agent's part: dials the port the channel names. */
export function dialTarget(
  relays = new Relays(),
): (type: string, extra: Buffer) => ChannelDecision {
  return (_type, extra) => ({
    accept: (channel) => {
      const port = Number(extra.toString().split(":")[1]);
      const allowHalfOpen = channel.halfClose;
      const socket = net.connect({ host: "127.0.0.1", port, allowHalfOpen, noDelay: true });
      void relay(socket, channel, relays);
    },
  });
}

/** Bytes that differ at every offset one could cut at, without being random. */
export function pattern(length: number, seed = 0): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7 + seed) & 0xff;
  return bytes;
}

/** The SHA-256 of some bytes, in hex. */
export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Sends `request`, optionally ends, and resolves with everything that came back until the end. */
export function exchange(
  port: number,
  request: Buffer,
  end: "half-close" | "stay",
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    const received: Buffer[] = [];
    socket.on("data", (chunk) => received.push(chunk));
    socket.on("error", reject);
    socket.on("end", () => {
      socket.end();
      resolve(Buffer.concat(received));
    });
    if (end === "half-close") socket.end(request);
    else socket.write(request);
  });
}
