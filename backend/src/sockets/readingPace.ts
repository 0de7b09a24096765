import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { guarded, type OnFault } from "@rport/protocol/wire/contain";
import type { Limits } from "../limits/limits.ts";
import type { Clock } from "../platform/clock.ts";
import { networkOf } from "../platform/network.ts";
import { isStopped, readUnlessStopped } from "./stoppedReading.ts";

/** What reading may take of one turn of the event loop. */
const TURN_MS = 4;
/**
 * The same of a turn that accepted a connection: Node accepts one in a turn, so the shorter a turn is
 * the sooner it is the next one's, of hundreds that may wait in front of the door.
 */
const ACCEPTING_TURN_MS = 0.5;
/** What one connection may take before the next one has its turn. */
const VISIT_MS = 1;
/**
 * As much is looked at first: a thousandth of a second's worth where it is all frames without
 * content. What turns out to be cheap is looked at in larger pieces.
 */
const FIRST_BYTES = 4 << 10;
const MOST_BYTES = 16 << 10;

const { push } = Socket.prototype;

/** What came from a connection; nothing: the peer will send no more. */
type Arrival = Buffer | null;

/** What the reading is paced with. */
export interface ReadingPaceDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  readonly clock: Pick<Clock, "monotonic">;
  /** Told what callbacks of ours throw. */
  readonly onFault: OnFault;
}

/**
 * Shares the time for what comes from outside: only so much of each turn of the event loop, to each
 * network in turn, and within a network to each connection, a millisecond each. Of whoever has said who
 * they are, all connections are one line beside those of the networks, wherever they come from: a user
 * with a thousand of them takes no time from the agents of the same address. Node would read 2 MiB
 * of every connection in one turn, and a few hundred kilobytes of frames, packets or chunks without
 * content keep a processor busy for a second: whoever sends them delays its own kind, and a turn ends
 * in time for everybody else. What waits is not read further, so the peer has to wait, too.
 */
export class ReadingPace {
  readonly #deps: ReadingPaceDeps;
  /** What has arrived and was not looked at, in order. */
  readonly #unread = new Map<Socket, readonly Arrival[]>();
  /** The connections of each network, and of each caller who is known, that wait for their turn. */
  readonly #lines = new Map<string, Set<Socket>>();
  /** Whose line a connection waits in, where that is not its network's. */
  readonly #callers = new WeakMap<Duplex, string>();
  /** What a connection is said on, below its encryption; both wait in the same line. */
  readonly #below = new WeakMap<Duplex, Socket>();
  /** In place of a socket's own; the same two functions for all of them. */
  readonly #paced: Pick<Socket, "push" | "_read">;
  #unreadBytes = 0;
  /** When this turn began to read; undefined: it has read nothing yet. */
  #turnMs: number | undefined;
  #hasAccepted = false;
  #isTurnWatched = false;

  constructor(deps: ReadingPaceDeps) {
    const arrive = (socket: Socket, arrival: Arrival): boolean => this.#arrive(socket, arrival);
    const isWaiting = (socket: Socket): boolean => this.#unread.has(socket);
    this.#deps = deps;
    this.#paced = {
      push(this: Socket, arrival: Arrival): boolean {
        return arrive(this, arrival);
      },
      _read(this: Socket, size: number): void {
        if (!isWaiting(this)) readUnlessStopped(this, size);
      },
    };
    deps.limits.watch("unread_bytes", () => this.#unreadBytes);
  }

  /**
   * Paces a connection that was just accepted, where Node itself does: what the system has received
   * reaches a socket through `push`, no more is received after that answered false, and `_read` begins
   * it again. `below` is the connection that carries it, if it is encrypted.
   */
  enter(socket: Socket, below?: Socket): void {
    if (below !== undefined) this.#below.set(socket, below);
    // A listener for a moment: until then, the HTTP parser reads past the socket's stream.
    socket.on("data", ignore);
    socket.off("data", ignore);
    Object.assign(socket, this.#paced);
    this.#hasAccepted = true;
    this.#watchTurn();
  }

  /** What comes on the connection waits in the line of this caller from now on. */
  assign(socket: Duplex, caller: string): void {
    this.#move(socket, caller);
    const below = this.#below.get(socket);
    if (below !== undefined) this.#move(below, caller);
  }

  #move(socket: Duplex, caller: string): void {
    if (!(socket instanceof Socket)) return;
    const before = this.#lineOf(socket);
    const line = this.#lines.get(before);
    this.#callers.set(socket, caller);
    if (line?.delete(socket) !== true) return;
    if (line.size === 0) this.#lines.delete(before);
    this.#queue(socket);
  }

  #lineOf(socket: Socket): string {
    return this.#callers.get(socket) ?? networkOf(socket.remoteAddress ?? "");
  }

  #queue(socket: Socket): void {
    const name = this.#lineOf(socket);
    const line = this.#lines.get(name) ?? new Set();
    this.#lines.set(name, line.add(socket));
  }

  #arrive(socket: Socket, arrival: Arrival): boolean {
    if (this.#unread.has(socket)) return this.#wait(socket, arrival);
    if (arrival === null || arrival.length === 0) return push.call(socket, arrival);
    if (!this.#hasTime()) return this.#wait(socket, arrival);
    const { left, takesMore } = this.#visit(socket, arrival);
    if (left !== undefined) return this.#wait(socket, left);
    return takesMore && !isStopped(socket);
  }

  /** Whether this turn may go on reading. */
  #hasTime(): boolean {
    const nowMs = this.#deps.clock.monotonic();
    this.#turnMs ??= nowMs;
    this.#watchTurn();
    return nowMs - this.#turnMs < (this.#hasAccepted ? ACCEPTING_TURN_MS : TURN_MS);
  }

  #watchTurn(): void {
    if (this.#isTurnWatched) return;
    this.#isTurnWatched = true;
    setImmediate(guarded(this.#deps.onFault, () => this.#nextTurn()));
  }

  /** Lets a connection have what came from it, for as long as it may take; answers what is left. */
  #visit(socket: Socket, arrival: Buffer): { left: Buffer | undefined; takesMore: boolean } {
    const { clock } = this.#deps;
    const endMs = clock.monotonic() + VISIT_MS;
    let takesMore = true;
    let size = FIRST_BYTES;
    let at = 0;
    do {
      takesMore = push.call(socket, arrival.subarray(at, at + size));
      at += size;
      size = Math.min(2 * size, MOST_BYTES);
    } while (at < arrival.length && !socket.destroyed && clock.monotonic() < endMs);
    const isOver = at >= arrival.length || socket.destroyed;
    return { left: isOver ? undefined : arrival.subarray(at), takesMore };
  }

  /** Keeps what came for a later turn. False, as the answer to Node: receive no more of it. */
  #wait(socket: Socket, arrival: Arrival): false {
    const { limits } = this.#deps;
    this.#keep(socket, [...(this.#unread.get(socket) ?? []), arrival], bytesOf([arrival]));
    if (this.#unreadBytes > limits.max("unread_bytes")) {
      limits.bite("unread_bytes", { address: socket.remoteAddress });
      this.#take(socket);
      socket.destroy();
    }
    return false;
  }

  /** So much waits of a connection now, so many bytes more than before. */
  #keep(socket: Socket, unread: readonly Arrival[], bytes: number): void {
    this.#unreadBytes += bytes;
    this.#unread.set(socket, unread);
    this.#queue(socket);
  }

  /** What waits of a connection, which does so no more. */
  #take(socket: Socket): readonly Arrival[] {
    const unread = this.#unread.get(socket) ?? [];
    this.#unread.delete(socket);
    this.#unreadBytes -= bytesOf(unread);
    return unread;
  }

  /**
   * A turn begins with those who waited. What follows from their bytes, in promises, is counted as
   * reading, too.
   */
  async #nextTurn(): Promise<void> {
    const { clock } = this.#deps;
    const startMs = clock.monotonic();
    const endMs = startMs + (this.#hasAccepted ? ACCEPTING_TURN_MS : TURN_MS);
    this.#turnMs = startMs;
    this.#isTurnWatched = false;
    this.#hasAccepted = false;
    while (this.#lines.size > 0 && clock.monotonic() < endMs) {
      this.#serveNext();
      await Promise.resolve();
    }
    if (this.#lines.size > 0) this.#watchTurn();
    else this.#turnMs = undefined;
  }

  /** The next connection of the network or the caller whose turn it is. */
  #serveNext(): void {
    const [[name, line] = ["", new Set<Socket>()]] = this.#lines;
    const [socket] = line;
    // Behind all others: iteration comes to it again after them.
    this.#lines.delete(name);
    if (socket === undefined) return;
    line.delete(socket);
    if (line.size > 0) this.#lines.set(name, line);
    this.#serve(socket);
  }

  #serve(socket: Socket): void {
    const [first, ...others] = this.#take(socket);
    if (first === undefined || socket.destroyed) return;
    const left = first === null ? this.#end(socket) : this.#visit(socket, first).left;
    const rest = left === undefined ? others : [left, ...others];
    if (rest.length > 0 && !socket.destroyed) this.#keep(socket, rest, bytesOf(rest));
  }

  #end(socket: Socket): undefined {
    push.call(socket, null);
    // As Node does where nothing waits: who reads nothing learns of the end, too.
    socket.read(0);
  }
}

function ignore(): void {}

function bytesOf(arrivals: readonly Arrival[]): number {
  return arrivals.reduce((sum, arrival) => sum + (arrival?.length ?? 0), 0);
}
