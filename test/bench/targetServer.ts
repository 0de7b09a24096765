import net, { type AddressInfo, type Socket } from "node:net";
import { serve } from "./childPort.ts";
import { MODES, TICK_BYTES } from "./load.ts";

/** One write of a source. */
const CHUNK = Buffer.alloc(256 << 10, 0x5a);
/** How often a sink says what it has received. */
const TICK_MS = 50;

/** What stands at the far end of a tunnel: the first byte of a connection says what it does. */
function onConnection(socket: Socket): void {
  socket.on("error", () => {});
  socket.once("data", (first) => {
    const rest = first.subarray(1);
    if (first[0] === MODES.down) source(socket);
    else if (first[0] === MODES.up) sink(socket, rest.length);
    else echo(socket, rest);
  });
}

function source(socket: Socket): void {
  const fill = () => {
    while (!socket.destroyed && socket.write(CHUNK));
  };
  socket.on("drain", fill);
  fill();
}

function sink(socket: Socket, before: number): void {
  let bytes = before;
  const timer = setInterval(() => socket.write(tick(bytes)), TICK_MS);
  socket.on("data", (chunk) => {
    bytes += chunk.length;
  });
  socket.on("close", () => clearInterval(timer));
}

function tick(bytes: number): Buffer {
  const message = Buffer.alloc(TICK_BYTES);
  message.writeDoubleBE(bytes, 0);
  message.writeDoubleBE(performance.now(), 8);
  return message;
}

function echo(socket: Socket, rest: Buffer): void {
  if (rest.length > 0) socket.write(rest);
  socket.on("data", (chunk) => {
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on("drain", () => socket.resume());
}

const server = net.createServer({ noDelay: true }, onConnection);
server.listen(0, "127.0.0.1", () => serve({}, (server.address() as AddressInfo).port));
