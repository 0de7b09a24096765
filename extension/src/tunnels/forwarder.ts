import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { RportError } from "@rport/protocol/errors";
import type { HostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { LOCAL_HOST } from "../model/tunnels/localHost.ts";
import type { Traffic } from "../model/tunnels/traffic.ts";
import { systemClock } from "../support/clock.ts";
import { describeNetworkError, systemCode } from "../support/describeError.ts";
import { Listeners } from "../support/listeners.ts";
import { ConnectionRoom } from "./connectionRoom.ts";
import { type Carried, carry, type StreamTarget } from "./stream.ts";

/** What a listener is made from. */
export interface ForwarderTarget extends StreamTarget {
  /** The address of this computer on which it listens; undefined: `LOCAL_HOST`. */
  readonly localHost?: string | undefined;
  /** Where its connections take their places; undefined: there are no other tunnels. */
  readonly room?: ConnectionRoom | undefined;
}

/** Connections that break this close together, for the same reason, broke at once. */
const AT_ONCE_MS = 10_000;

/** Connections that were cut between their ends. */
export interface Break {
  readonly why: string;
  /** When the last of them was (milliseconds since the epoch). */
  readonly atMs: number;
  /** How many there were at about that time. */
  readonly connections: number;
}

/** A listener on this computer, each of whose connections ends at a place seen from a host. */
export class Forwarder {
  /** Emits when the number of connections or the failure has changed. */
  readonly changed = new Listeners<void>();
  readonly #server: Server;
  readonly #target: StreamTarget;
  readonly #room: ConnectionRoom;
  readonly #cuts = new Set<(why?: RportError) => void>();
  readonly #now: () => number;
  readonly #sinceMs: number;
  readonly #carried: Carried = { received: 0, sent: 0 };
  #connectionsTotal = 0;
  #usedAtMs: number | undefined;
  #failure: string | undefined;
  #broke: Break | undefined;
  #isClosed = false;

  private constructor(server: Server, target: ForwarderTarget, now: () => number) {
    this.#server = server;
    this.#now = now;
    this.#sinceMs = now();
    this.#target = target;
    this.#room = target.room ?? new ConnectionRoom();
    server.on("connection", (socket) => this.#accept(socket));
  }

  /**
   * Listens on the first of the ports that is free; 0 stands for any. `now` is in milliseconds since the
   * epoch. Throws `ERR_CODE_LOCAL_PORT_IN_USE` when none is.
   */
  static async listen(
    target: ForwarderTarget,
    ports: readonly number[],
    now: () => number = systemClock.now,
  ): Promise<Forwarder> {
    const { localHost = LOCAL_HOST } = target;
    let cause: unknown;
    for (const port of ports) {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
      try {
        await listenOn(server, { host: localHost, port });
        return new Forwarder(server, target, now);
      } catch (error) {
        cause = error;
        if (!["EADDRINUSE", "EACCES"].includes(systemCode(error) ?? "")) break;
      }
    }
    throw new RportError(
      "ERR_CODE_LOCAL_PORT_IN_USE",
      whyNot({ host: localHost, port: ports[0] ?? 0 }, cause),
      {
        cause,
      },
    );
  }

  /** The local port. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Connections that are open, or about to be. */
  get connections(): number {
    return this.#cuts.size;
  }

  /** What went through it until now. */
  get traffic(): Traffic {
    return {
      sinceMs: this.#sinceMs,
      connections: this.connections,
      connectionsTotal: this.#connectionsTotal,
      usedAtMs: this.#usedAtMs,
      ...this.#carried,
    };
  }

  /** Why the latest connection could not be made; undefined when it could. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** The connections that broke last; undefined when none has. */
  get broke(): Break | undefined {
    return this.#broke;
  }

  /** What made the latest connection fail is over, as far as can be known without another one. */
  forgetFailure(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.changed.emit();
  }

  /** Cuts all connections for a reason, a sentence, and goes on listening. */
  cut(why: string): void {
    for (const cut of [...this.#cuts]) cut(new RportError("UNAVAILABLE", why));
  }

  /** Stops listening and cuts all connections. */
  close(): void {
    this.#isClosed = true;
    this.#server.close();
    for (const cut of [...this.#cuts]) cut();
    this.changed.clear();
  }

  #accept(socket: Socket): void {
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    const whyFull = this.#room.take(this.connections);
    if (whyFull === undefined) this.#carry(socket);
    else this.#refuse(socket, whyFull);
  }

  #refuse(socket: Socket, why: string): void {
    socket.on("error", () => undefined);
    socket.resetAndDestroy();
    if (this.#failure === why) return;
    this.#failure = why;
    this.changed.emit();
  }

  #carry(socket: Socket): void {
    socket.setNoDelay(true);
    this.#connectionsTotal += 1;
    this.#usedAtMs = this.#now();
    let isOpen = false;
    const cut = carry(socket, this.#target, {
      carried: this.#carried,
      onOpen: () => {
        isOpen = true;
      },
      onAnswer: () => this.forgetFailure(),
      onEnd: (end) => {
        this.#cuts.delete(cut);
        this.#room.leave();
        this.#usedAtMs = this.#now();
        if (end.kind === "broke") this.#break(end.error.message);
        if (end.kind === "failed") this.#failure = end.error.message;
        else if (isOpen) this.#failure = undefined;
        this.changed.emit();
      },
    });
    this.#cuts.add(cut);
    this.changed.emit();
  }

  #break(why: string): void {
    const atMs = this.#now();
    const last = this.#broke;
    const isSame = last !== undefined && last.why === why && atMs - last.atMs < AT_ONCE_MS;
    this.#broke = { why, atMs, connections: isSame ? last.connections + 1 : 1 };
  }
}

function whyNot({ host, port }: HostPort, cause: unknown): string {
  if (systemCode(cause) === "EADDRNOTAVAIL") {
    return t("{0} is no address of this computer now, so nothing can listen there.", host);
  }
  if (systemCode(cause) === "EADDRINUSE") {
    return t("Port {0} of this computer is used by another program.", port);
  }
  return t("Port {0} of this computer cannot be used: {1}.", port, describeNetworkError(cause));
}

function listenOn(server: Server, { host, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
