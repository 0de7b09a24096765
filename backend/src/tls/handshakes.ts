import type { Server } from "node:https";
import { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { guarded, type OnFault } from "@rport/protocol/wire/contain";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { LogBursts } from "../platform/logBursts.ts";
import { networkOf, unmapped } from "../platform/network.ts";
import { NetworkPace } from "../sockets/networkPace.ts";
import type { OpenSockets } from "../sockets/openSockets.ts";
import { awaitFirstRecord } from "./firstRecord.ts";

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
  readonly sockets: Pick<OpenSockets, "admit" | "stir" | "hush" | "secure">;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  readonly log: Pick<Log, "info" | "warn">;
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
        for (const listener of begin) listener.call(server, raw);
      });
    });
    server.on("secureConnection", (tls) => {
      const raw = rawOf(tls);
      onSecure(tls);
      this.counts.done += 1;
      this.#forget(raw);
      this.#deps.sockets.secure(raw, tls);
    });
    server.on("tlsClientError", (error, tls) => this.#fail(error, rawOf(tls)));
  }

  #enter(raw: Socket, begin: () => void): void {
    const { sockets } = this.#deps;
    // Whoever comes may leave at any time; who waits for it learns of its close.
    raw.on("error", ignore);
    if (!sockets.admit(raw)) return;
    raw.once("close", () => this.#forget(raw));
    this.#arm(raw);
    awaitFirstRecord(raw, (beginning) => {
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

/**
 * The connection below a TLS one. Node has no public name for it; a test sees that this one holds.
 */
export function rawOf(tls: TLSSocket): Socket {
  if ("_parent" in tls && tls._parent instanceof Socket) return tls._parent;
  throw new Error("a TLS connection without the one below it");
}

function ignore(): void {}
