import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Limits } from "../limits/limits.ts";
import { boundedRequest } from "./boundedRequest.ts";
import type { OpenBodies } from "./openBodies.ts";

/**
 * The requests of each connection that wait for their answers. Clients send the next one when the one
 * before was answered. Whoever does not wait can put thousands into one packet, which Node would parse
 * and begin in a single turn of the event loop, while everybody else waits.
 */
export class Pipelines {
  /** What Node makes requests of: beyond the limit they are upgrades, where its parser stops. */
  readonly Request: typeof IncomingMessage;
  readonly #limits: Pick<Limits, "max" | "bite">;
  readonly #waiting = new WeakMap<Duplex, Set<ServerResponse>>();

  constructor(limits: Pick<Limits, "max" | "bite">, bodies: Pick<OpenBodies, "open">) {
    this.#limits = limits;
    const isFull = (socket: Socket) => this.isFull(socket);
    this.Request = class extends boundedRequest(limits, bodies) {
      constructor(socket: Socket) {
        super(socket);
        if (!isFull(socket)) return;
        // The parser writes what it read of the request itself.
        Object.defineProperty(this, "upgrade", { get: () => true, set: () => undefined });
      }
    };
  }

  /** Whether as many requests of the connection wait for their answers as may. */
  isFull(socket: Duplex): boolean {
    return this.#of(socket) >= this.#limits.max("pipelined_requests");
  }

  /**
   * One more request of the connection waits, until it is answered or the connection has ended. Its
   * response says `close` in either case, and so does the request itself, so that whoever keeps something
   * for them lets go of it then.
   */
  enter(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const waiting = this.#waiting.get(socket) ?? this.#watch(socket);
    waiting.add(response);
    response.once("close", () => {
      waiting.delete(response);
      if (socket.destroyed) request.destroy();
    });
  }

  /** Whether an answer on the connection has begun, and is not over: nothing may come between. */
  isAnswering(socket: Duplex): boolean {
    return [...(this.#waiting.get(socket) ?? [])].some(({ headersSent }) => headersSent);
  }

  /**
   * Whether an answer on the connection is still to be given, or to be sent behind another one: whatever
   * was written now would be taken for it. One that is being sent, whole, is in its place already.
   */
  isOwing(socket: Duplex): boolean {
    const waiting = [...(this.#waiting.get(socket) ?? [])];
    return waiting.some(({ writableEnded, socket: sending }) => !writableEnded || sending === null);
  }

  /** Ends a connection that is full and asks for more. */
  end(socket: Duplex): void {
    const { remoteAddress: address } = socket as Partial<Socket>;
    this.#limits.bite("pipelined_requests", { address });
    socket.destroy();
  }

  #watch(socket: Duplex): Set<ServerResponse> {
    const waiting = new Set<ServerResponse>();
    this.#waiting.set(socket, waiting);
    socket.once("close", () => {
      for (const response of waiting) closeUnsent(response);
    });
    return waiting;
  }

  #of(socket: Duplex): number {
    return this.#waiting.get(socket)?.size ?? 0;
  }
}

/**
 * Once a connection has become an upgrade, as one that is full does, Node tells only the response that is
 * being sent that it has ended. Those behind it, and the requests, would never hear of it, and what is
 * kept for them would stay for good.
 */
function closeUnsent(response: ServerResponse): void {
  if (response.socket === null) response.destroy();
}
