import type { Duplex } from "node:stream";
import { CLOSE_CODES, type ErrorCode, RportError } from "@rport/protocol/errors";
import { DIAL_PATH } from "@rport/protocol/http";
import type { HostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import type { RawData, WebSocket } from "ws";
import type { Access, AccessSource, ReadyAccess } from "../api/access.ts";
import { openSocket, type SocketEnd } from "../api/webSocket.ts";

/** With more than this on its way to the server, the program at the local end has to wait. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** With less than this, it may go on. */
const LOW_WATER_BYTES = 256 * 1024;
/** A connection on which nothing comes is asked for by the system after this long. */
const KEEP_ALIVE_MS = 30_000;
/** The server's messages are at most this large. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * RPort's agents confirm a stream first and connect to its target afterwards, so a port on which
 * nothing listens shows as a stream that ends at once, without a reason.
 */
const UNANSWERED = t("The host closed the connection at once: is something listening there?");
/** By the host's end of the way, by what is between, or by the server, where too much waited for one that took nothing. */
const CUT_OFF = t("The connection was cut on its way to the host.");

/** Which host a tunnel leads to, and which place as seen from there. */
export interface StreamTarget {
  readonly access: AccessSource;
  readonly clientId: string;
  readonly remote: HostPort;
}

/** The end of a stream on this computer: a socket, or what does as one. */
export interface LocalEnd extends Duplex {
  /** Ends it after what was written has gone out. */
  destroySoon(): void;
  /** Ends it at once, so that its other end takes that for a failure. */
  resetAndDestroy(): unknown;
}

/** How a stream ended. */
export type StreamEnd =
  /** As the programs at its ends wanted, or as this side did. */
  | { readonly kind: "done" }
  /** Its target could not be reached. */
  | { readonly kind: "failed"; readonly error: RportError }
  /** It had carried bytes, and was cut between its ends: this says nothing about the next one. */
  | { readonly kind: "broke"; readonly error: RportError };

/** Bytes that streams have carried. */
export interface Carried {
  /** From the target. */
  received: number;
  /** To the target. */
  sent: number;
}

/** What a stream tells while it lives. `onEnd` comes last, once. */
export interface StreamEvents {
  /** What it carries is added here as it goes. */
  readonly carried: Carried;
  readonly onOpen: () => void;
  /** Something came from the target: it is there. */
  readonly onAnswer: () => void;
  readonly onEnd: (end: StreamEnd) => void;
}

/**
 * Carries one local connection over one WebSocket: bytes are binary messages, an empty message
 * is the end of a direction, and each side waits for the other. The connection has to be paused
 * and must allow half-open. Answers a function that cuts the stream, with the reason where that is a failure.
 */
export function carry(
  local: LocalEnd,
  target: StreamTarget,
  events: StreamEvents,
): (why?: RportError) => void {
  const stream = new Stream(local, events);
  void stream.dial(target);
  return (why) => stream.cut(why);
}

class Stream {
  readonly #local: LocalEnd;
  readonly #events: StreamEvents;
  #remote: WebSocket | undefined;
  #isOver = false;
  #isAnswered = false;
  #isUnanswered = false;
  #localEnded = false;
  #remoteEnded = false;

  constructor(local: LocalEnd, events: StreamEvents) {
    this.#local = local;
    this.#events = events;
    local.on("data", (chunk) => this.#toRemote(chunk));
    local.on("end", () => this.#endLocal());
    local.on("drain", () => this.#remote?.resume());
    // a reset by the local program is its own affair, not a failed tunnel
    local.on("error", () => this.cut());
    local.on("close", () => this.cut());
    local.pause();
  }

  async dial({ access, clientId, remote }: StreamTarget): Promise<void> {
    const granted = await access().catch(() => undefined);
    if (this.#isOver) {
      if (granted?.kind === "ready") granted.connection?.close();
      return;
    }
    if (granted?.kind !== "ready") {
      this.#end(withoutAccess(granted));
      return;
    }
    const query = new URLSearchParams({
      client_id: clientId,
      host: remote.host,
      port: String(remote.port),
    });
    const path = `${DIAL_PATH}?${query}`;
    const socket = { access: granted, path, maxMessageBytes: MAX_MESSAGE_BYTES };
    this.#remote = openSocket(socket, (end) => {
      if (end.kind === "closed" && end.code === 1000) this.#finish();
      else this.#end(errorOf(end));
    });
    this.#remote.on("open", () => this.#opened());
    // a computer that slept, or has moved to another network, hears of it by this alone
    this.#remote.on("upgrade", (answer) => answer.socket.setKeepAlive(true, KEEP_ALIVE_MS));
    this.#remote.on("message", (data) => this.#toLocal(data));
  }

  /** Ends both sides at once; without a reason it is not an error. */
  cut(why?: RportError): void {
    this.#end(why);
  }

  #opened(): void {
    this.#events.onOpen();
    this.#local.resume();
  }

  #toRemote(chunk: Buffer): void {
    const remote = this.#remote;
    if (remote === undefined || this.#isOver) return;
    this.#events.carried.sent += chunk.length;
    remote.send(chunk, () => {
      if (remote.bufferedAmount <= LOW_WATER_BYTES) this.#local.resume();
    });
    if (remote.bufferedAmount > HIGH_WATER_BYTES) this.#local.pause();
  }

  #toLocal(data: RawData): void {
    const chunk = data as Buffer;
    if (chunk.length === 0) {
      this.#judgeEnd();
      this.#remoteEnded = true;
      this.#local.end(() => this.#closeIfDone());
      return;
    }
    this.#events.carried.received += chunk.length;
    if (!this.#isAnswered) this.#events.onAnswer();
    this.#isAnswered = true;
    if (!this.#local.write(chunk)) this.#remote?.pause();
  }

  #endLocal(): void {
    this.#localEnded = true;
    this.#remote?.send(Buffer.alloc(0), () => this.#closeIfDone());
  }

  #closeIfDone(): void {
    if (this.#localEnded && this.#remoteEnded) this.#remote?.close(1000);
  }

  /** The server ended the stream properly: what it sent still has to reach the local program. */
  #finish(): void {
    this.#judgeEnd();
    this.#localEnded = true;
    this.#remoteEnded = true;
    this.#end(undefined);
  }

  /** An end from the other side before any byte, while this side was still open, is a refusal. */
  #judgeEnd(): void {
    if (!this.#isAnswered && !this.#localEnded) this.#isUnanswered = true;
  }

  #end(error: RportError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#localEnded && this.#remoteEnded) {
      this.#local.destroySoon();
      this.#remote?.close(1000);
    } else {
      this.#local.resetAndDestroy();
      this.#remote?.terminate();
    }
    const unanswered = new RportError("ERR_CODE_REMOTE_PORT_NOT_OPEN", UNANSWERED);
    const failed = error ?? (this.#isUnanswered ? unanswered : undefined);
    this.#events.onEnd(endOf(failed, this.#isAnswered));
  }
}

function withoutAccess(access: Exclude<Access, ReadyAccess> | undefined): RportError {
  if (access?.kind === "unavailable") return new RportError("UNAVAILABLE", access.reason);
  return new RportError("UNAUTHORIZED", t("You are not signed in."));
}

function endOf(error: RportError | undefined, wasAnswered: boolean): StreamEnd {
  if (error === undefined) return { kind: "done" };
  return { kind: wasAnswered ? "broke" : "failed", error };
}

/** By the server's close codes, what went wrong. */
const CODE_OF: Readonly<Record<number, ErrorCode>> = {
  [CLOSE_CODES.unauthorized]: "UNAUTHORIZED",
  [CLOSE_CODES.refused]: "FORBIDDEN",
  [CLOSE_CODES.offline]: "CLIENT_OFFLINE",
  [CLOSE_CODES.notAllowed]: "TARGET_NOT_ALLOWED",
  [CLOSE_CODES.unreached]: "ERR_CODE_REMOTE_PORT_NOT_OPEN",
};

function errorOf(end: SocketEnd): RportError {
  if (end.kind === "failed") return end.error;
  if (end.code === CLOSE_CODES.cutOff) return new RportError("UNAVAILABLE", CUT_OFF);
  return new RportError(
    CODE_OF[end.code] ?? "UNAVAILABLE",
    end.reason || t("The connection to the server was lost."),
  );
}
