import { CLOSE_CODES, type ErrorCode } from "@rport/protocol/errors";
import { TERMINAL_PATH } from "@rport/protocol/http";
import { encodeFrame, FrameReader } from "@rport/protocol/terminal/frame";
import { t } from "@vscode/l10n";
import type { RawData, WebSocket } from "ws";
import type { ReadyAccess } from "../api/access.ts";
import { openSocket, type SocketEnd } from "../api/webSocket.ts";
import type { Clock, Timer } from "../support/clock.ts";
import type { Way } from "./fleetWays.ts";
import type { Dial, Link, LinkEnd, LinkEvents } from "./link.ts";

/** The server's messages are at most this large. */
const MAX_MESSAGE_BYTES = 1 << 20;
/** A connection that is silent this long is asked. */
const SILENCE_MS = 20_000;
/** One that was asked has to say something in this time. */
const ANSWER_MS = 5_000;

/** Refusals of the server that are over by themselves. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "UNAVAILABLE",
  "UNAUTHORIZED",
  "CLIENT_OFFLINE",
  "TOO_MANY_REQUESTS",
  "AGENT_TIMEOUT",
  "INTERNAL",
]);

/** Which host the terminals are of. */
export interface TerminalPlace {
  readonly way: () => Promise<Way>;
  readonly clientId: string;
  readonly clock: Clock;
}

/** Connects viewers to terminals of one host, with a WebSocket each. */
export function dialTerminal(place: TerminalPlace): Dial {
  return (events) => new TerminalSocket(place, events);
}

class TerminalSocket implements Link {
  readonly #place: TerminalPlace;
  readonly #events: LinkEvents;
  readonly #frames = new FrameReader();
  #socket: WebSocket | undefined;
  #watch: Timer | undefined;
  #isOver = false;

  constructor(place: TerminalPlace, events: LinkEvents) {
    this.#place = place;
    this.#events = events;
    void this.#dial();
  }

  send(frame: Buffer): void {
    if (this.#socket?.readyState === this.#socket?.OPEN) this.#socket?.send(frame);
  }

  check(): void {
    if (this.#socket?.readyState !== this.#socket?.OPEN) return;
    this.#socket?.ping();
    this.#expect(ANSWER_MS, () => this.#giveUp());
  }

  close(): void {
    this.#stop();
    this.#socket?.close(1000);
  }

  cut(): void {
    this.#stop();
    this.#socket?.terminate();
  }

  async #dial(): Promise<void> {
    const way = await this.#place
      .way()
      .catch((): Way => ({ kind: "unavailable", reason: t("The token could not be read.") }));
    if (this.#isOver) {
      if (way.kind === "ready") way.connection?.close();
      return;
    }
    if (way.kind === "ready") this.#open(way);
    else if (way.kind === "gone") this.#end({ kind: "refused", reason: way.reason });
    else if (way.kind === "unavailable") this.#end({ kind: "lost", reason: way.reason });
    else this.#end({ kind: "lost", reason: way.why ?? t("You are not signed in.") });
  }

  #open(access: ReadyAccess): void {
    const path = `${TERMINAL_PATH}?${new URLSearchParams({ client_id: this.#place.clientId })}`;
    const socket = openSocket({ access, path, maxMessageBytes: MAX_MESSAGE_BYTES }, (end) =>
      this.#end(this.#judge(end)),
    );
    this.#socket = socket;
    socket.on("open", () => {
      const json = Buffer.from(JSON.stringify(this.#events.opening()));
      this.send(encodeFrame({ kind: "open", json }));
      this.#listen();
    });
    // keys go out at once, and do not wait for more of them
    socket.on("upgrade", (answer) => answer.socket.setNoDelay(true));
    socket.on("message", (data) => this.#receive(data));
    for (const sign of ["ping", "pong"]) socket.on(sign, () => this.#listen());
  }

  #receive(data: RawData): void {
    if (this.#isOver) return;
    this.#listen();
    try {
      for (const frame of this.#frames.read(data as Buffer)) {
        if (!this.#isOver) this.#events.onFrame(frame);
      }
    } catch {
      this.#end({
        kind: "refused",
        reason: t("The server sent something this version does not understand."),
      });
      this.#socket?.terminate();
    }
  }

  /** Something came: the other side is there. */
  #listen(): void {
    if (!this.#isOver) this.#expect(SILENCE_MS, () => this.check());
  }

  #expect(ms: number, otherwise: () => void): void {
    this.#watch?.cancel();
    this.#watch = this.#place.clock.after(ms, otherwise);
  }

  #giveUp(): void {
    this.#end({ kind: "lost", reason: t("It stopped answering.") });
    this.#socket?.terminate();
  }

  #judge(end: SocketEnd): LinkEnd {
    const lost = t("The connection to the server was lost.");
    if (end.kind === "failed") {
      const { code, message } = end.error;
      return PASSING.has(code)
        ? { kind: "lost", reason: message }
        : { kind: "refused", reason: code === "NOT_FOUND" ? oldServer(message) : message };
    }
    if (end.code === CLOSE_CODES.takenOver) return { kind: "takenOver" };
    const isFinal = end.code === CLOSE_CODES.refused;
    return { kind: isFinal ? "refused" : "lost", reason: end.reason || lost };
  }

  #stop(): void {
    this.#isOver = true;
    this.#watch?.cancel();
  }

  #end(end: LinkEnd): void {
    if (this.#isOver) return;
    this.#stop();
    this.#events.onEnd(end);
  }
}

/** A server of before terminals has nothing there. */
function oldServer(message: string): string {
  return t("{0} A server of an earlier version knows no terminals.", message);
}
