import { type Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { OnFault } from "@rport/protocol/wire/contain";
import type { Limits } from "../limits/limits.ts";
import type { LimitName } from "../limits/limitTable.ts";
import { afterReading } from "../platform/afterReading.ts";
import type { Clock } from "../platform/clock.ts";
import type { Fields } from "../platform/log.ts";
import { networkOf, unmapped } from "../platform/network.ts";
import { OpenBodies } from "./openBodies.ts";
import { ReadingPace } from "./readingPace.ts";
import { type Stranger, Strangers } from "./strangers.ts";
import { type SocketUse, type UserSharer, UserShares } from "./userShares.ts";

/** Whoever has asked for nothing for less than this may be on its way: its bytes may wait for us. */
const ON_THE_WAY_MS = 1_000;
/** Agents and tunnels leave this part of all connections free at the most. */
const KEPT_PART = 4;
/** Users who are no administrators leave this part of all free, whoever has the others: what has just come can make room there. */
const OPEN_PART = 8;

/** What the open sockets are counted with. */
export interface OpenSocketsDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  /** Whether many callers may stand behind an address. */
  readonly isProxy: (address: string) => boolean;
  readonly clock: Pick<Clock, "monotonic">;
  /** Told what callbacks of ours throw. */
  readonly onFault: OnFault;
}

/** How many connections there are, and how many were not taken or had to make room. */
export interface SocketCounts {
  readonly open: number;
  readonly max: number;
  readonly refused: number;
}

/**
 * Every connection from outside, on whatever port. Their number stays below what the process has
 * descriptors for, so that accepting never fails unseen. When all places are taken, the one that
 * nobody vouched for and that has been quiet for the longest time makes room, and so it does among
 * those of a network when that has its share; agents and tunnels leave some places free, so that
 * people can always come in, and users who are no administrators have half of them at the most, so
 * that the others can. What they send is read at `ReadingPace`.
 */
export class OpenSockets {
  /** What comes in on them as bodies of requests. */
  readonly bodies: OpenBodies;
  readonly #deps: OpenSocketsDeps;
  readonly #strangers = new Strangers();
  readonly #users: UserShares;
  readonly #pace: ReadingPace;
  #open = 0;
  #refused = 0;

  constructor(deps: OpenSocketsDeps) {
    this.#deps = deps;
    this.bodies = new OpenBodies(deps);
    const leavesRoom = (socket: Duplex) => this.#leavesRoom(socket);
    this.#users = new UserShares({ limits: deps.limits, leavesRoom });
    this.#pace = new ReadingPace(deps);
    deps.limits.watch("sockets", () => this.#open);
  }

  get counts(): SocketCounts {
    const max = this.#deps.limits.max("sockets");
    return { open: this.#open, max, refused: this.#refused };
  }

  /** Takes a connection, or ends it. Returns false when it was ended. */
  enter(socket: Socket): boolean {
    if (!this.admit(socket)) return false;
    this.#pace.enter(socket);
    return true;
  }

  /**
   * The same for one that shakes hands first, with TLS: it is a silent one, and what comes is read by
   * others, until `secure` says what takes its place.
   */
  admit(socket: Socket): boolean {
    const address = unmapped(socket.remoteAddress ?? "");
    const network = this.#deps.isProxy(address) ? undefined : networkOf(address);
    if (!this.#takes(network, address)) {
      socket.destroy();
      return false;
    }
    this.#count(socket);
    const stranger = { socket, network: network ?? "", isSilent: network !== undefined };
    this.#put(stranger);
    if (network !== undefined) this.#judgeSilence(network);
    return true;
  }

  /** What comes on one that was admitted is read at the pace of all from now on. */
  pace(admitted: Socket): void {
    this.#pace.enter(admitted);
  }

  /** What is said on one that was admitted is said on `secured` from now on; it has asked for nothing. */
  secure(admitted: Socket, secured: Socket): void {
    this.#hush(admitted, secured);
    this.#pace.enter(secured, admitted);
    secured.on("close", () => this.#forget(secured));
  }

  /** What it waits for from now on is not ours to do: it is as silent as one that has just come. */
  hush(socket: Socket): void {
    this.#hush(socket, socket);
  }

  /** It has asked for something, or has taken some of its answer. */
  stir(socket: Duplex): void {
    const stranger = this.#strangers.get(socket);
    if (stranger === undefined) return;
    const { network } = stranger;
    this.#put({ socket, network, isSilent: false });
  }

  /**
   * Its holder has other limits from now on: it makes room for nobody any more. What comes on it is
   * read when it is the turn of where that comes from, if it is said: many may stand behind a proxy.
   */
  vouch(socket: Duplex, address?: string): void {
    this.#strangers.remove(socket);
    if (address !== undefined) this.#pace.assign(socket, networkOf(address));
  }

  /**
   * Its holder showed a token of the user, and makes room for nobody any more. False, and as if
   * nothing had been shown, when the user has as many connections as one may have, or all users who
   * are no administrators have as many as these may: however many they are, and whatever they open,
   * administrators and agents still come in. Streams are refused at three quarters of what one may
   * have. What comes on it is read when it is the user's turn: a proxy's, which lends it to many,
   * only where it is theirs alone from now on.
   */
  vouchFor(socket: Duplex, user: UserSharer, use: SocketUse = "requests"): boolean {
    const limit = this.#users.take(socket, user, use);
    if (limit !== undefined) {
      this.#bite(limit, { user: user.name });
      return false;
    }
    if (use !== "requests" || !this.#isLent(socket)) this.#pace.assign(socket, user.accountId);
    this.vouch(socket);
    return true;
  }

  /** Whether an agent or a tunnel may have one more; a stranger makes room if need be. */
  hasRoom(): boolean {
    const { limits } = this.#deps;
    const max = limits.max("sockets");
    const kept = Math.min(limits.max("sockets_kept_for_people"), Math.floor(max / KEPT_PART));
    return this.#open <= max - kept || this.#makeRoom();
  }

  /** Takes a tunnel's connection, or ends it. Returns false when it was ended. */
  enterTunnel(socket: Socket): boolean {
    if (!this.hasRoom()) {
      socket.destroy();
      return false;
    }
    this.#count(socket);
    return true;
  }

  /** A tunnel listens: its port takes a descriptor, as a connection does. */
  enterPort(server: Server): void {
    this.#count(server);
  }

  /** Whether there is a place for a connection from there; others may have to leave for it. */
  #takes(network: string | undefined, address: string): boolean {
    const { limits } = this.#deps;
    if (network !== undefined) this.#endCrowd(network);
    return this.#open < limits.max("sockets") || this.#makeRoom({ address });
  }

  /** Somebody has to go: the quietest stranger, or else whoever has just come. */
  #makeRoom(fields: Fields = {}): boolean {
    this.#bite("sockets", fields);
    return this.#evict(this.#strangers.quietest);
  }

  /** Whether it comes from a proxy, which may say on it what others ask next. */
  #isLent(socket: Duplex): boolean {
    const address = socket instanceof Socket ? (socket.remoteAddress ?? "") : "";
    return this.#deps.isProxy(unmapped(address));
  }

  /** Whether there is room beyond what ordinary users leave free, if this one makes room no more. */
  #leavesRoom(socket: Duplex): boolean {
    const max = this.#deps.limits.max("sockets");
    const isStranger = this.#strangers.get(socket) !== undefined;
    const staying = this.#open - this.#strangers.size;
    return !isStranger || staying < max - Math.floor(max / OPEN_PART);
  }

  #bite(limit: LimitName, fields: Fields): void {
    this.#refused += 1;
    this.#deps.limits.bite(limit, fields);
  }

  /**
   * Where a network has its share, its quietest stranger goes: one caller keeps no neighbour out.
   * Those that were vouched for have limits of their own: a whole fleet may share an address.
   */
  #endCrowd(network: string): void {
    const { limits } = this.#deps;
    if (this.#strangers.of(network) < limits.max("sockets_per_network")) return;
    this.#evict(this.#strangers.quietestOf(network));
    this.#bite("sockets_per_network", { network });
  }

  /**
   * Where too many of a network are silent, the one that has been so for the longest time goes,
   * unless its request turns out to have arrived already.
   */
  #judgeSilence(network: string): void {
    if (this.#tooSilent(network) === undefined) return;
    afterReading(this.#deps.onFault, () => {
      const silent = this.#tooSilent(network);
      if (silent === undefined) return;
      this.#evict(silent);
      this.#bite("silent_sockets_per_network", { network });
    });
  }

  /** Who of a network has to go for its silence. */
  #tooSilent(network: string): Stranger | undefined {
    const { limits, clock } = this.#deps;
    if (this.#strangers.silentOf(network) <= limits.max("silent_sockets_per_network")) return;
    const quietest = this.#strangers.quietestSilent(network);
    const sinceMs = quietest?.sinceMs ?? Number.POSITIVE_INFINITY;
    return clock.monotonic() - sinceMs < ON_THE_WAY_MS ? undefined : quietest;
  }

  /** However short it was quiet: in a flood that never stops, everybody gets some time this way. */
  #evict(stranger: Stranger | undefined): boolean {
    if (stranger === undefined) return false;
    this.#strangers.remove(stranger.socket);
    stranger.socket.destroy();
    return true;
  }

  #hush(before: Socket, socket: Socket): void {
    const network = this.#strangers.get(before)?.network;
    this.#strangers.remove(before);
    if (network === undefined) return;
    const isSilent = network !== "";
    this.#put({ socket, network, isSilent });
    if (isSilent) this.#judgeSilence(network);
  }

  #put(stranger: Omit<Stranger, "sinceMs">): void {
    this.#strangers.put({ ...stranger, sinceMs: this.#deps.clock.monotonic() });
  }

  #count(holder: Socket | Server): void {
    this.#open += 1;
    // A `once` would keep three objects more of each.
    holder.on("close", () => this.#leave(holder));
  }

  #leave(holder: Socket | Server): void {
    this.#open -= 1;
    if (holder instanceof Socket) this.#forget(holder);
  }

  #forget(socket: Socket): void {
    this.#strangers.remove(socket);
    this.#users.leave(socket);
  }
}
