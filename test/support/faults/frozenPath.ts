import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

/** A way to a server that can go dead without a word: nothing passes, nothing is closed. */
export interface FrozenPath extends AsyncDisposable {
  readonly port: number;
  /** Everything that is connected now hears nothing of the other side any more. */
  freeze(): void;
}

/** Opens a port of 127.0.0.1 that leads to another one. */
export async function frozenPath(target: number): Promise<FrozenPath> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("error", () => socket.destroy());
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const far = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
    keep(socket).pipe(keep(far)).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
