import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** One direction of the bytes between an agent and its server. */
export type Direction = "toServer" | "toAgent";

/** Stands between an agent and a server that may be restarted, and can hold bytes back. */
export interface Gate extends AsyncDisposable {
  /** Where the agent connects to; stays the same. */
  readonly url: string;
  /** Where new connections go from now on. */
  leadTo(port: number): void;
  /** From now on bytes of this direction are kept; resolves when the first is. */
  hold(direction: Direction): Promise<void>;
  /** Runs right after the next bytes of this direction were passed on. */
  after(direction: Direction, run: () => void): void;
  /** Nothing is held any more; connections that missed something are ended. */
  release(): void;
}

/** Opens a gate that leads to `port`. */
export async function openGate(port: number): Promise<Gate> {
  let target = port;
  const held = new Map<Direction, () => void>();
  const hooks = new Map<Direction, () => void>();
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket, direction: Direction): void => {
    from.on("data", (bytes) => {
      const isHeld = held.get(direction);
      isHeld?.();
      if (isHeld !== undefined) return;
      to.write(bytes);
      hooks.get(direction)?.();
      hooks.delete(direction);
    });
    from.on("close", () => to.destroy());
    from.on("error", () => to.destroy());
    sockets.add(from);
  };
  const server = createServer((agent) => {
    const upstream = connect({ host: "127.0.0.1", port: target });
    pass(agent, upstream, "toServer");
    pass(upstream, agent, "toAgent");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const end = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (next) => {
      target = next;
    },
    hold: (direction) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(direction, resolve);
      return promise;
    },
    after: (direction, run) => void hooks.set(direction, run),
    release: () => {
      const missed = held.size > 0;
      held.clear();
      if (missed) end();
    },
    async [Symbol.asyncDispose]() {
      end();
      server.close();
    },
  };
}
