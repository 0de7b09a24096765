import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { PIECE_COST_BYTES } from "@rport/protocol/wire/gathered";
import type { HeldShare } from "@rport/protocol/wire/held";
import type { Limits } from "../limits/limits.ts";
import type { OpenBodies } from "./openBodies.ts";

/**
 * What Node makes requests of, so that the body of one comes in few pieces: a chunk of one byte costs
 * as much as one of a thousand, and Node would read a body on and on that was answered unread. Beyond
 * the limit the connection ends. What comes is counted with what its pieces cost, until it is read.
 */
export function boundedRequest(
  limits: Pick<Limits, "max" | "bite">,
  bodies: Pick<OpenBodies, "open">,
): typeof IncomingMessage {
  const max = limits.max("body_pieces");
  return class extends IncomingMessage {
    #pieces = 0;
    /** What the body takes; undefined: nothing came of it yet, or nobody wants it. */
    #share: HeldShare | undefined;
    #isDropped = false;

    constructor(socket: Socket) {
      super(socket);
      // Not as methods: Express gives a request another prototype.
      this.push = this.#take;
      // Node calls it for a body that was answered unread; its own does not count what it drops.
      Object.defineProperty(this, "_dump", { value: this.#drop });
    }

    #take(piece: Buffer | null): boolean {
      if (piece === null) return super.push(piece);
      this.#pieces += 1;
      if (this.#pieces > max) {
        if (this.#pieces === max + 1) this.#end();
        return false;
      }
      if (!this.#isDropped) this.#count(piece.length);
      return super.push(piece);
    }

    #count(bytes: number): void {
      this.#share ??= this.#open();
      this.#share.add("requests", bytes + PIECE_COST_BYTES);
    }

    #open(): HeldShare {
      const share = bodies.open(this.socket);
      this.once("close", () => share.close());
      return share;
    }

    #drop(): void {
      this.#isDropped = true;
      this.#share?.close();
      this.resume();
    }

    #end(): void {
      limits.bite("body_pieces", { address: this.socket.remoteAddress });
      this.socket.destroy();
    }
  };
}
