import type { Server, Socket } from "node:net";
import type { Clock } from "../../support/clock.ts";
import type { Log } from "../../support/log.ts";
import { meetGuest } from "./handshake.ts";
import { VERSION } from "./messages.ts";

/** So many may be about to prove themselves; each has `HANDSHAKE_MS` for it. */
const AT_DOOR_MAX = 100;
/** Of those who are sent away one line is written in this time, with how many there were. */
const TELL_MS = 60_000;

/** What whoever takes a seat works with. */
export interface OwnSeatDeps {
  readonly key: () => Promise<Buffer>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The seat that this process has; the others come to it, and only those are let in who prove themselves. */
export class OwnSeat {
  readonly #server: Server;
  readonly #deps: OwnSeatDeps & { readonly seat: string };
  readonly #atDoor = new Set<Socket>();
  /** Those who were let in before anybody was there for them. */
  readonly #waiting = new Set<Socket>();
  #receive: ((guest: Socket) => void) | undefined;
  #sentAway = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param server listens already
   * @param deps `seat` is its name without its folder
   */
  constructor(server: Server, deps: OwnSeatDeps & { readonly seat: string }) {
    this.#server = server;
    this.#deps = deps;
    server.on("connection", (guest) => void this.#admit(guest));
  }

  /** Hands out those who were let in, and who are from now on; their sockets are paused. */
  onGuest(receive: (guest: Socket) => void): void {
    this.#receive = receive;
    for (const guest of this.#waiting) receive(guest);
    this.#waiting.clear();
  }

  /** Leaves the seat to somebody else; those who still wait are sent away. */
  close(): void {
    this.#server.close();
    for (const guest of [...this.#atDoor, ...this.#waiting]) guest.destroy();
  }

  async #admit(socket: Socket): Promise<void> {
    socket.on("error", () => socket.destroy());
    if (this.#atDoor.size >= AT_DOOR_MAX) {
      this.#sendAway(socket, "too-many");
      return;
    }
    this.#atDoor.add(socket);
    const met = await meetGuest({ socket, ...this.#deps });
    this.#atDoor.delete(socket);
    if (met.kind === "unproven") this.#sendAway(socket, met.why);
    // a window of another version knows by now that this is one
    else if (met.kind === "proven" && met.version !== VERSION) socket.destroySoon();
    else if (!socket.destroyed) this.#letIn(socket);
  }

  #letIn(guest: Socket): void {
    if (this.#receive !== undefined) {
      this.#receive(guest);
      return;
    }
    this.#waiting.add(guest);
    guest.once("close", () => this.#waiting.delete(guest));
  }

  #sendAway(socket: Socket, why: string): void {
    socket.destroy();
    this.#sentAway += 1;
    const { clock, log, seat } = this.#deps;
    if (clock.now() - this.#toldAtMs < TELL_MS) return;
    this.#toldAtMs = clock.now();
    const facts = { seat, why, sentAway: this.#sentAway };
    log.warn("somebody came to the tunnels who has not proven to be a window of yours", facts);
  }
}
