import {
  EVENT_MESSAGE_MAX_BYTES,
  type EventMessage,
  eventMessageSchema,
} from "@rport/protocol/events";
import { EVENTS_PATH } from "@rport/protocol/http";
import { t } from "@vscode/l10n";
import type { RawData, WebSocket } from "ws";
import type { Clock, Timer } from "../support/clock.ts";
import type { ReadyAccess } from "./access.ts";
import { isUnauthorized, openSocket, type SocketEnd } from "./webSocket.ts";

/** A connection that is silent this long is asked, and given up after as long again. */
const SILENCE_MS = 20_000;

/** Why the event socket ended; `lost` means: try again. */
export type EventsEnd =
  /** `wasOpen`: its reason is a word for programs; who asks again is told a sentence. */
  | { readonly kind: "unauthorized"; readonly reason: string; readonly wasOpen: boolean }
  | { readonly kind: "lost"; readonly reason: string };

/** What the event socket needs. */
export interface EventsDeps {
  readonly access: ReadyAccess;
  readonly clock: Clock;
  readonly onMessage: (message: EventMessage) => void;
  /** Called once, unless the caller closed it himself. */
  readonly onEnd: (end: EventsEnd) => void;
}

/** One connection to a server's event socket. */
export class EventSocket {
  readonly #deps: EventsDeps;
  readonly #socket: WebSocket;
  #timer: Timer;
  #heard = true;
  #isClosed = false;

  /** Connects at once. */
  constructor(deps: EventsDeps) {
    this.#deps = deps;
    const { access } = deps;
    this.#socket = openSocket(
      { access, path: EVENTS_PATH, maxMessageBytes: EVENT_MESSAGE_MAX_BYTES },
      (end) => this.#end(endOf(end)),
    );
    this.#socket.on("message", (data) => this.#receive(data));
    for (const sign of ["message", "ping", "pong", "open"]) {
      this.#socket.on(sign, () => {
        this.#heard = true;
      });
    }
    this.#timer = this.#watch();
  }

  /** Ends the connection; nothing is called any more. */
  close(): void {
    this.#isClosed = true;
    this.#timer.cancel();
    this.#socket.terminate();
  }

  #receive(data: RawData): void {
    if (this.#isClosed) return;
    const parsed = eventMessageSchema.safeParse(parseJson(String(data)));
    if (parsed.success) this.#deps.onMessage(parsed.data);
    else this.#giveUp(t("The server sent something this version does not understand."));
  }

  #watch(): Timer {
    return this.#deps.clock.after(SILENCE_MS, () => {
      if (!this.#heard) {
        this.#giveUp(t("It stopped answering."));
        return;
      }
      this.#heard = false;
      if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
      this.#timer = this.#watch();
    });
  }

  #giveUp(reason: string): void {
    this.#end({ kind: "lost", reason });
    this.#socket.terminate();
  }

  #end(end: EventsEnd): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.cancel();
    this.#deps.onEnd(end);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function endOf(end: SocketEnd): EventsEnd {
  const reason = end.kind === "failed" ? end.error.message : end.reason;
  if (isUnauthorized(end)) {
    return { kind: "unauthorized", reason, wasOpen: end.kind === "closed" };
  }
  return { kind: "lost", reason: reason || t("The connection was closed.") };
}
