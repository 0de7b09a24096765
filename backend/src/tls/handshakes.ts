import type { Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { contain, guarded, type OnFault } from "@rport/protocol/wire/contain";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { LogBursts } from "../platform/logBursts.ts";
import { networkOf, unmapped } from "../platform/network.ts";
import { NetworkPace } from "../sockets/networkPace.ts";
import type { OpenSockets } from "../sockets/openSockets.ts";
import { awaitFirstRecord } from "./firstRecord.ts";
import { PacedBelow } from "./pacedBelow.ts";

/** For the first message, and from the turn of a handshake to its end. */
const HANDSHAKE_MS = 5_000;
/** What whoever speaks plain HTTP here is told; Go's servers do the same. */
const SPEAKS_TLS =
  "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n" +
  "This address speaks TLS: use https:// (or wss://).\n";

/** What became of handshakes, since the start. */
export interface HandshakeCounts {
  done: number;
  failed: number;
  late: number;
  /** What came was no TLS. */
  plain: number;
}

/** What handshakes need. */
export interface HandshakesDeps {
  readonly sockets: Pick<OpenSockets, "admit" | "pace" | "stir" | "hush" | "secure">;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  readonly log: Pick<Log, "debug" | "info" | "warn" | "error">;
  /** Takes the lines that anybody can cause. */
  readonly strangers: Pick<LogBursts, "note">;
  /** Told what callbacks of ours throw. */
  readonly onFault: OnFault;
}

/**
 * What comes before a TLS connection serves requests. A handshake costs about a millisecond, in which
 * the process does nothing else, and Node begins each as soon as bytes come. Here one begins when all of
 * its first message is there, and when it is its network's turn; the peer has five seconds for each part of
 * its own. Unless it waits for us, the connection counts as a silent one, and makes room like those.
 */
export class Handshakes {
  readonly counts: HandshakeCounts = { done: 0, failed: 0, late: 0, plain: 0 };
  readonly #deps: HandshakesDeps;
  readonly #pace: NetworkPace;
  /** Those whose handshake is not over, with the end of their time. */
  readonly #open = new Map<Socket, Timer>();

  constructor(deps: HandshakesDeps) {
    this.#deps = deps;
    this.#pace = new NetworkPace(deps.clock);
  }

  /**
   * Stands between the connections of a server and its TLS. `onConnection` is told of each that was
   * taken, before its handshake, and `onSecure` of each after it.
   */
  guard(
    server: Server,
    {
      onConnection,
      onSecure,
    }: { onConnection: (raw: Socket) => void; onSecure: (tls: TLSSocket) => void },
  ): void {
    // Node's own, which begins the handshake
    const begin = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (raw: Socket) => {
      onConnection(raw);
      this.#enter(raw, () => {
        const { sockets, onFault } = this.#deps;
        sockets.pace(raw);
        const below = new PacedBelow(raw);
        contain(below, onFault);
        const told = toldOf(server, {
          secureConnection: guarded(onFault, (tls) => this.#secured(raw, tls, onSecure)),
          tlsClientError: guarded(onFault, (error) => this.#fail(error, raw)),
        });
        for (const listener of begin) listener.call(told, below);
      });
    });
  }

  #secured(raw: Socket, tls: TLSSocket, onSecure: (tls: TLSSocket) => void): void {
    nameAddresses(tls, raw);
    onSecure(tls);
    this.counts.done += 1;
    this.#forget(raw);
    this.#deps.sockets.secure(raw, tls);
  }

  #enter(raw: Socket, begin: () => void): void {
    const { sockets } = this.#deps;
    // Whoever comes may leave at any time; who waits for it learns of its close.
    raw.on("error", ignore);
    if (!sockets.admit(raw)) return;
    raw.once("close", () => this.#forget(raw));
    this.#arm(raw);
    // Who says no more will never shake hands. Behind a first record, the time for that ends it.
    const leave = (): void => void raw.destroy();
    raw.once("end", leave);
    awaitFirstRecord(raw, (beginning) => {
      raw.off("end", leave);
      if (beginning === "other") {
        this.#turnAway(raw);
        return;
      }
      // From here to its turn it waits for us: it is neither late nor silent.
      this.#open.get(raw)?.cancel();
      sockets.stir(raw);
      this.#pace.run(networkOf(raw.remoteAddress ?? ""), () => this.#begin(raw, begin));
    });
  }

  /** The peer has so long for its part. */
  #arm(raw: Socket): void {
    const { clock, onFault } = this.#deps;
    const late = guarded(onFault, () => this.#end(raw, "late", "it took too long"));
    this.#open.set(raw, clock.after(HANDSHAKE_MS, late));
  }

  #begin(raw: Socket, begin: () => void): void {
    // It may have left while it waited.
    if (raw.destroyed) return;
    this.#arm(raw);
    this.#deps.sockets.hush(raw);
    guarded(this.#deps.onFault, begin)();
  }

  #turnAway(raw: Socket): void {
    if (this.#forget(raw)) this.#note(raw, "plain", "what came is no TLS");
    raw.end(SPEAKS_TLS);
    raw.destroySoon();
  }

  #fail(error: Error, raw: Socket): void {
    const code = "code" in error ? String(error.code) : error.message;
    this.#end(raw, "failed", code);
  }

  #end(raw: Socket, outcome: "late" | "failed", reason: string): void {
    if (this.#forget(raw)) this.#note(raw, outcome, reason);
    raw.destroy();
  }

  /** False: it was not shaking hands any more. */
  #forget(raw: Socket): boolean {
    this.#open.get(raw)?.cancel();
    return this.#open.delete(raw);
  }

  #note(raw: Socket, outcome: "late" | "failed" | "plain", reason: string): void {
    const { strangers, log } = this.#deps;
    const address = unmapped(raw.remoteAddress ?? "");
    this.counts[outcome] += 1;
    const message = "a TLS handshake came to nothing";
    strangers.note({ log, level: "info", message, address, fields: { address, reason } });
  }
}

/** What Node tells a server of one connection. */
interface Told {
  readonly secureConnection: (tls: TLSSocket) => void;
  readonly tlsClientError: (error: Error) => void;
}

/**
 * The server as it is told of one connection: what it is told of that goes to `told` as well, behind those who
 * listen to the server. Node names the TLS connection only, and not the one that was given to it.
 */
function toldOf(server: Server, told: Told): Server {
  const emit = (event: string, first: never, ...others: never[]): boolean => {
    const isHeard = server.emit(event, first, ...others);
    if (event === "secureConnection" || event === "tlsClientError") told[event](first);
    return isHeard;
  };
  return Object.create(server, { emit: { value: emit } });
}

/** Where its peer is, which Node finds out of sockets only. */
function nameAddresses(tls: TLSSocket, raw: Socket): void {
  for (const name of ADDRESSES) Object.defineProperty(tls, name, { value: raw[name] });
}

const ADDRESSES = [
  "remoteAddress",
  "remoteFamily",
  "remotePort",
  "localAddress",
  "localFamily",
  "localPort",
] as const;

function ignore(): void {}
