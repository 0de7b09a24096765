import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Limits } from "../limits/limits.ts";

/**
 * What Node makes requests of, so that the body of one comes in few pieces: a chunk of one byte costs
 * as much as one of a thousand, and Node would read a body on and on that was answered unread. Beyond
 * the limit the connection ends.
 */
export function boundedRequest(limits: Pick<Limits, "max" | "bite">): typeof IncomingMessage {
  const max = limits.max("body_pieces");
  return class extends IncomingMessage {
    #pieces = 0;

    constructor(socket: Socket) {
      super(socket);
      // Not as methods: Express gives a request another prototype.
      this.push = this.#take;
      // Node calls it for a body that was answered unread; its own does not count what it drops.
      Object.defineProperty(this, "_dump", { value: this.resume });
    }

    #take(piece: Buffer | null): boolean {
      if (piece === null) return super.push(piece);
      this.#pieces += 1;
      if (this.#pieces <= max) return super.push(piece);
      if (this.#pieces === max + 1) this.#end();
      return false;
    }

    #end(): void {
      limits.bite("body_pieces", { address: this.socket.remoteAddress });
      this.socket.destroy();
    }
  };
}
