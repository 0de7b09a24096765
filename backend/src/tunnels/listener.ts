import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { RportError } from "@rport/protocol/errors";
import { contain, guarded } from "@rport/protocol/wire/contain";
import type { Relays, Tally } from "@rport/protocol/wire/relay";
import { endingFault, loggedFault } from "../platform/faults.ts";
import { errorText, type Log } from "../platform/log.ts";
import type { OpenSockets } from "../sockets/openSockets.ts";
import { stopWhileUnread } from "../sockets/stoppedReading.ts";
import type { Acl } from "./acl.ts";

/** Where ports and connections of tunnels are counted. */
export type TunnelSockets = Pick<OpenSockets, "hasRoom" | "enterTunnel" | "enterPort">;

/** What a listener needs. */
export interface ListenerDeps {
  /** Undefined: everybody who reaches the port may connect. */
  readonly acl: Acl | undefined;
  readonly dial: () => Promise<Duplex>;
  readonly relays: Relays;
  /** What comes from whoever connects goes from A to B. */
  readonly tally: Tally;
  readonly sockets: TunnelSockets;
  readonly log: Log;
  /** The number of open connections has changed. */
  readonly onCount: (count: number) => void;
}

/** A local port whose connections continue at the client's side. */
export class Listener {
  readonly #deps: ListenerDeps;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(deps: ListenerDeps) {
    this.#deps = deps;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (s) => this.#accept(s));
    contain(this.#server, loggedFault(deps.log, "a tunnel's port"));
  }

  /**
   * Listens on the port. Throws `ERR_CODE_LOCAL_PORT_IN_USE` when another program has it,
   * `UNAVAILABLE` when the server has as many connections as it may have.
   */
  static async listen(host: string, port: number, deps: ListenerDeps): Promise<Listener> {
    if (!deps.sockets.hasRoom()) {
      throw new RportError("UNAVAILABLE", "The server has as many connections as it may have.");
    }
    const listener = new Listener(deps);
    await listener.#listen(host, port);
    deps.sockets.enterPort(listener.#server);
    return listener;
  }

  /** Open connections. */
  get count(): number {
    return this.#sockets.size;
  }

  /** Cuts the connections and gives the port back; resolves when it is free. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }

  #listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const onError = (error: Error) => reject(listenError(error, host, port));
      this.#server.once("error", onError);
      this.#server.listen({ host, port, exclusive: true }, () => {
        this.#server.off("error", onError);
        this.#server.on("error", (error) =>
          this.#deps.log.warn("tunnel listener", { port, reason: errorText(error) }),
        );
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    const { log } = this.#deps;
    const onFault = endingFault(log, "a tunnel's connection", () => socket.destroy());
    contain(socket, onFault);
    socket.on("error", () => socket.destroy());
    stopWhileUnread(socket);
    const serve = guarded(onFault, () => this.#serve(socket));
    serve();
  }

  #serve(socket: Socket): void {
    const { acl, sockets, onCount } = this.#deps;
    if (acl !== undefined && !acl.allows(socket.remoteAddress)) {
      socket.destroy();
      return;
    }
    if (!sockets.enterTunnel(socket)) return;
    this.#sockets.add(socket);
    onCount(this.#sockets.size);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      onCount(this.#sockets.size);
    });
    void this.#join(socket);
  }

  async #join(socket: Socket): Promise<void> {
    const { dial, relays, tally, log } = this.#deps;
    try {
      const stream = await dial();
      if (socket.destroyed) stream.destroy();
      else await relays.join(socket, stream, tally);
    } catch (error) {
      log.debug("tunnel connection failed", { reason: errorText(error) });
      socket.destroy();
    }
  }
}

function listenError(error: Error, host: string, port: number): RportError {
  const code = "code" in error ? error.code : "";
  if (code === "EADDRINUSE") {
    return new RportError("ERR_CODE_LOCAL_PORT_IN_USE", `Local port ${port} already in use.`, {
      detail: "Another program on the server has it.",
    });
  }
  const isForeign = code === "EADDRNOTAVAIL";
  const title = isForeign
    ? `${host} is not an address of this server.`
    : `The server cannot listen on ${host}:${port}.`;
  return new RportError(isForeign ? "BAD_REQUEST" : "UNAVAILABLE", title, { cause: error });
}
