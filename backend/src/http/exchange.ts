import type { IncomingMessage, ServerResponse } from "node:http";
import { RportError, toEnvelope } from "@rport/protocol/errors";
import type { Sharer } from "../limits/sharer.ts";
import type { Clock } from "../platform/clock.ts";
import { errorText, type Fields, type Log } from "../platform/log.ts";
import type { LogBursts } from "../platform/logBursts.ts";
import { networkOf } from "../platform/network.ts";
import { readableId } from "../platform/random.ts";
import type { Actor } from "../users/actor.ts";
import type { Peer } from "./caller/peerAddress.ts";
import { loggedPath } from "./rawQuery.ts";
import type { RequestTurns } from "./requestTurns.ts";
import type { UnreadAnswers } from "./unreadAnswers.ts";

/** Sent with every answer: nothing is kept, guessed, framed or told to other sites. */
const SECURITY_HEADERS = new Map([
  ["Cache-Control", "no-store"],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
  ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
]);
const JSON_TYPE = "application/json; charset=UTF-8";
/** Characters of a list that are encoded in one step, and what the row goes beyond with which they are reached. */
const PIECE_CHARACTERS = 64 << 10;
/** How long a caller should wait when nobody said it more exactly. */
const RETRY_AFTER_S = 60;

/** What an exchange is told beside the response: who asks, and under which address. */
export interface ExchangeDeps extends Peer {
  readonly answers: Pick<UnreadAnswers, "add">;
  readonly turns: Pick<RequestTurns, "take">;
  /** Takes the lines that anybody can cause. */
  readonly strangers: Pick<LogBursts, "note">;
  readonly log: Log;
}

const REFUSED = { level: "info", message: "request" } as const;
const FAILED = { level: "error", message: "request failed" } as const;

/** One request and its answer: an id that is in both the answer and the log. */
export class Exchange {
  readonly requestId = readableId(16);
  readonly address: string;
  readonly isShared: boolean;
  /** `http(s)://host[:port][/path]` under which the caller reached this server. */
  readonly origin: string;
  /** Who asked, once that is known. */
  actor: Actor | undefined;
  readonly #answers: ExchangeDeps["answers"];
  readonly #turns: ExchangeDeps["turns"];
  readonly #strangers: ExchangeDeps["strangers"];
  readonly #log: Log;
  readonly #response: ServerResponse;

  constructor(response: ServerResponse, from: ExchangeDeps) {
    this.address = from.address;
    this.isShared = from.isShared;
    this.origin = from.origin;
    this.#answers = from.answers;
    this.#turns = from.turns;
    this.#strangers = from.strangers;
    this.#response = response;
    this.#log = from.log.child({ requestId: this.requestId });
    response.setHeaders(SECURITY_HEADERS);
    response.setHeader("X-Request-Id", this.requestId);
  }

  /** Resolves when the request, which was read, may be worked on. */
  readonly turn = (): Promise<void> => this.#turns.take(this.#caller.accountId);

  /** Answers with RPort's success envelope; `count` is the total of a list. */
  sendData(status: number, data: unknown, count?: number): void {
    this.sendJson(status, count === undefined ? { data } : { data, meta: { count } });
  }

  /**
   * The same for a list: hostile hosts can make a page of it tens of megabytes, whose encoding takes half
   * a second. So it is encoded piece by piece, each when it is the caller's turn, and counted as soon as it is there.
   */
  async sendRows(status: number, rows: readonly unknown[], count?: number): Promise<void> {
    const pieces: Buffer[] = [];
    if (this.#isOver) return;
    for (const text of listTexts(rows, count)) {
      const piece = Buffer.from(text);
      pieces.push(piece);
      this.#answers.add(this.#caller, this.#response, piece.length);
      await this.turn();
      if (this.#isOver) return;
    }
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#response.statusCode = status;
    this.#response.setHeader("Content-Type", JSON_TYPE);
    this.#response.setHeader("Content-Length", length);
    for (const piece of pieces) this.#response.write(piece);
    this.#response.end();
  }

  /** Answers with bare JSON. */
  sendJson(status: number, body: unknown): void {
    const bytes = Buffer.from(JSON.stringify(body));
    this.#response.statusCode = status;
    this.#response.setHeader("Content-Type", JSON_TYPE);
    this.#end(bytes);
  }

  /** Answers with text of some type. */
  sendText(contentType: string, text: string): void {
    const bytes = Buffer.from(text);
    this.#response.setHeader("Content-Type", contentType);
    this.#end(bytes);
  }

  /** Answers without a body. */
  sendNothing(status: 200 | 201 | 204): void {
    this.#response.statusCode = status;
    this.#response.end();
  }

  /** Answers with RPort's error envelope. What is not ours is logged with its cause, never sent. */
  sendError(caught: unknown, retryAfterS = RETRY_AFTER_S): void {
    // Whoever asked has gone away: nobody is there to be told, and nothing went wrong here.
    if (this.#response.destroyed) return;
    const error = toRportError(caught);
    if (error.status >= 500) this.#logFailure(error, caught);
    if (this.#response.headersSent) {
      this.#response.destroy();
      return;
    }
    if (error.status === 429 || error.status === 503) {
      this.#response.setHeader("Retry-After", error.retryAfterS ?? retryAfterS);
    }
    if (error.status === 401) this.#response.setHeader("WWW-Authenticate", "Bearer");
    if (error.status === 413) this.#response.setHeader("Connection", "close");
    this.sendJson(error.status, toEnvelope(this.#withRequestId(error)));
  }

  /**
   * Writes a line when the answer is out: never the query, which may hold a token. An editor asks
   * often, so what went well is only for those who look for it; of what one user, or strangers of one
   * network, were refused, the first few of a minute stand for all.
   */
  logWhenDone(request: IncomingMessage, clock: Pick<Clock, "monotonic">): void {
    const startMs = clock.monotonic();
    // Taken now: the router shortens the target while it works.
    const path = loggedPath(request.url ?? "");
    this.#response.once("close", () => {
      const { writableEnded, statusCode } = this.#response;
      const fields = {
        method: request.method,
        path,
        // Without a status, the connection was cut before the answer.
        status: writableEnded ? statusCode : undefined,
        ms: Math.round(clock.monotonic() - startMs),
        address: this.address,
        user: this.actor?.name,
      };
      if (statusCode < 400) this.#log.debug("request", fields);
      else this.#note(REFUSED, fields);
    });
  }

  /** An answer that names its request has its line; the others, which people can bring about, are counted. */
  #logFailure({ code }: RportError, caught: unknown): void {
    const fields = { code, reason: errorText(caught) };
    if (code === "INTERNAL") this.#log.error(FAILED.message, fields);
    else this.#note(FAILED, fields);
  }

  #note(line: typeof REFUSED | typeof FAILED, fields: Fields): void {
    const { address, actor } = this;
    const user = actor?.accountId === "" ? undefined : actor;
    this.#strangers.note({ ...line, log: this.#log, address, user, fields });
  }

  #end(bytes: Buffer): void {
    this.#response.setHeader("Content-Length", bytes.length);
    this.#response.end(bytes);
    if (this.#response.writableFinished || this.#response.destroyed) return;
    this.#answers.add(this.#caller, this.#response, bytes.length);
  }

  /** The connection was cut, by whoever asked or for what waits for them: nobody needs an answer. */
  get #isOver(): boolean {
    return this.#response.destroyed || this.#response.req.socket.destroyed;
  }

  /** Whose request it is, as far as what it costs is concerned: strangers share what their network has. */
  get #caller(): Sharer {
    const network = `network ${networkOf(this.address)}`;
    return this.actor ?? { accountId: network, name: network };
  }

  #withRequestId(error: RportError): RportError {
    if (error.code !== "INTERNAL") return error;
    const detail = `The server's log has the cause under request id ${this.requestId}.`;
    return new RportError("INTERNAL", error.message, { detail });
  }
}

/** A list in RPort's envelope, in pieces; each row is encoded when its piece is asked for. */
function* listTexts(rows: readonly unknown[], count: number | undefined): Generator<string> {
  let text = '{"data":[';
  for (const [at, row] of rows.entries()) {
    text += `${at === 0 ? "" : ","}${JSON.stringify(row) ?? "null"}`;
    if (text.length < PIECE_CHARACTERS) continue;
    yield text;
    text = "";
  }
  yield count === undefined ? `${text}]}` : `${text}],"meta":${JSON.stringify({ count })}}`;
}

/** Express reports a path that cannot be percent-decoded as an error of status 400. */
function toRportError(caught: unknown): RportError {
  if (caught instanceof URIError) {
    return new RportError("BAD_REQUEST", "The path is not well-formed.");
  }
  return RportError.from(caught);
}
