import type { Socket } from "node:net";
import type { Clock, Timer } from "../../support/clock.ts";
import type { LocalTunnel } from "../localTunnel.ts";
import type { LocalTunnels } from "../localTunnels.ts";
import { LineSocket } from "./lineSocket.ts";
import {
  type Act,
  errorMessageOf,
  type GuestMessage,
  guestMessageSchema,
  type KeeperMessage,
} from "./messages.ts";
import type { OwnSeat } from "./ownSeat.ts";

/** Changes that come in this close together are sent together. */
const GATHER_MS = 50;
/** More windows than these are not served. */
const GUESTS_MAX = 100;

type Guest = LineSocket<GuestMessage, KeeperMessage>;

/** What the window with the seat works with. */
export interface KeeperDeps {
  readonly seat: OwnSeat;
  readonly tunnels: LocalTunnels;
  /** Takes a program that carries one connection, and speaks that version; without it, none is taken. */
  readonly onBridge?: ((socket: Socket, version: number) => void) | undefined;
  readonly clock: Clock;
}

/** The window that holds the tunnels of this computer: the others are told of them, and ask it. */
export class Keeper {
  readonly #deps: KeeperDeps;
  /** Each has proven to be a window of this person, of our version. */
  readonly #guests = new Set<Guest>();
  readonly #unsubscribe: () => void;
  #sending: Timer | undefined;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.tunnels.changed.add(() => {
      this.#sending ??= deps.clock.after(GATHER_MS, () => this.#send());
    });
    deps.seat.receiveWith({
      guest: (socket) => this.#greet(socket),
      bridge: deps.onBridge ?? ((socket) => socket.destroy()),
    });
  }

  /** Leaves the seat to another window, which is told by the end of its connection. */
  dispose(): void {
    this.#unsubscribe();
    this.#sending?.cancel();
    this.#deps.seat.close();
    for (const guest of this.#guests) guest.close();
  }

  #greet(socket: Socket): void {
    if (this.#guests.size >= GUESTS_MAX) {
      socket.destroy();
      return;
    }
    const guest: Guest = new LineSocket(socket, guestMessageSchema, {
      message: (message) => {
        if (message.type === "look") void this.#look(guest, message.ask, message.id);
        else void this.#answer(guest, message.ask, message.act);
      },
      end: () => this.#guests.delete(guest),
    });
    this.#guests.add(guest);
    guest.send(this.#list);
  }

  /** The list goes first, so that whoever asked has the tunnel when it is told of it. */
  async #answer(guest: Guest, ask: number, act: Act): Promise<void> {
    try {
      const tunnel = await perform(act, this.#deps.tunnels);
      this.#send();
      guest.send({ type: "answer", ask, tunnel });
    } catch (error) {
      this.#send();
      guest.send({ type: "answer", ask, error: errorMessageOf(error) });
    }
  }

  async #look(guest: Guest, ask: number, id: string): Promise<void> {
    guest.send({ type: "answer", ask, traffic: await this.#deps.tunnels.look(id) });
  }

  get #list(): KeeperMessage {
    return { type: "tunnels", tunnels: [...this.#deps.tunnels.all] };
  }

  #send(): void {
    this.#sending?.cancel();
    this.#sending = undefined;
    const list = this.#list;
    for (const guest of this.#guests) guest.send(list);
  }
}

/** Does what a window asks, and answers the tunnel that came of it. */
export async function perform(act: Act, tunnels: LocalTunnels): Promise<LocalTunnel | undefined> {
  switch (act.do) {
    case "open":
      return tunnels.openIn(act.workspace, { ...act.request, localPort: act.request.localPort });
    case "reopen":
      return tunnels.reopenIn(act.workspace, act.id, act.isAnyPort ? "anyPort" : undefined);
    case "close":
      await tunnels.close(act.id);
      return undefined;
    case "forget":
      await tunnels.forget(act.id);
      return undefined;
  }
}
