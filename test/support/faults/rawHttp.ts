import { connect } from "node:net";

/** An answer as it came over the wire. */
export interface RawAnswer {
  /** 0 when the connection ended without an answer. */
  readonly status: number;
  readonly text: string;
}

/**
 * Sends these bytes to 127.0.0.1, from the address `from`, and gives everything that comes back
 * until the peer is done.
 */
export function rawHttp(
  port: number,
  request: string | Buffer,
  from = "127.0.0.1",
): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  const chunks: Buffer[] = [];
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  const finish = (): void => {
    const text = Buffer.concat(chunks).toString("utf8");
    resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
  };
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (isSwitched(chunks)) socket.destroy();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", finish);
  socket.write(request);
  return promise;
}

/** After `101` the connection stays open, so there is nothing to wait for. */
function isSwitched(chunks: readonly Buffer[]): boolean {
  return Buffer.concat(chunks).toString("latin1").startsWith("HTTP/1.1 101");
}

/** A request's head with its empty line; asks the server to close the connection afterwards. */
export function head(line: string, headers: readonly string[]): string {
  return `${[`${line} HTTP/1.1`, ...headers, "Connection: close"].join("\r\n")}\r\n\r\n`;
}

/** The head of a request to speak WebSocket. */
export function upgradeHead(target: string, headers: readonly string[]): string {
  const fixed = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  return `${[`GET ${target} HTTP/1.1`, ...headers, ...fixed].join("\r\n")}\r\n\r\n`;
}
