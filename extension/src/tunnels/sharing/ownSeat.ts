import type { Server, Socket } from "node:net";
import type { Clock } from "../../support/clock.ts";
import type { Log } from "../../support/log.ts";
import { type Meeting, meetGuest } from "./handshake.ts";
import { VERSION } from "./messages.ts";

/** So many may be about to prove themselves; each has `HANDSHAKE_MS` for it. */
const AT_DOOR_MAX = 100;
/** Of those who are sent away one line is written in this time, with how many there were. */
const TELL_MS = 60_000;

/** Who is let in by whoever has the seat. */
export interface Receivers {
  /** Takes another window of our version; its socket is paused. */
  readonly guest: (socket: Socket) => void;
  /** Takes a program that carries one connection; its socket is paused. */
  readonly bridge: (socket: Socket, version: number) => void;
}

type Proven = Extract<Meeting, { kind: "proven" }>;

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
  readonly #waiting = new Map<Socket, Proven>();
  #receivers: Receivers | undefined;
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

  /** Hands out those who were let in, and who are from now on. */
  receiveWith(receivers: Receivers): void {
    this.#receivers = receivers;
    for (const [socket, met] of this.#waiting) this.#letIn(socket, met);
    this.#waiting.clear();
  }

  /** Leaves the seat to somebody else; those who still wait are sent away. */
  close(): void {
    this.#server.close();
    for (const guest of [...this.#atDoor, ...this.#waiting.keys()]) guest.destroy();
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
    else if (met.kind === "proven" && met.side === "guest" && met.version !== VERSION) {
      socket.destroySoon();
    } else if (met.kind === "proven" && !socket.destroyed) this.#letIn(socket, met);
  }

  #letIn(socket: Socket, met: Proven): void {
    const receivers = this.#receivers;
    if (receivers !== undefined) {
      if (met.side === "bridge") receivers.bridge(socket, met.version);
      else receivers.guest(socket);
      return;
    }
    this.#waiting.set(socket, met);
    socket.once("close", () => this.#waiting.delete(socket));
  }

  #sendAway(socket: Socket, why: string): void {
    socket.destroy();
    this.#sentAway += 1;
    const { clock, log, seat } = this.#deps;
    if (clock.monotonic() - this.#toldAtMs < TELL_MS) return;
    this.#toldAtMs = clock.monotonic();
    const facts = { seat, why, sentAway: this.#sentAway };
    log.warn("somebody came to the tunnels who has not proven to be a window of yours", facts);
  }
}
