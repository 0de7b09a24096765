import type { WireClock, WireTimer } from "../clock.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { Fifo } from "../fifo.ts";
import type { HeldShare } from "../held.ts";
import type { OwnTurns } from "../turns.ts";
import { RequestRefused, WireError } from "../wireError.ts";

/** Largest JSON payload that surely fits a Go peer's packet limit of 262 144 bytes. */
export const MAX_PAYLOAD_BYTES = 250_000;
/** Requests of ours that wait for the one on the wire. */
const WAITING_LIMIT = 64;
/** Requests of the peer we keep before we stop reading from it. */
const INBOX_LIMIT = 64;
/**
 * The same in bytes, because one request may have megabytes; from a peer of small messages no more
 * than one of them.
 */
const INBOX_LIMIT_BYTES = 4 << 20;
/** What a request costs that waits, beside its payload: its name, and the objects around it. */
const REQUEST_BYTES = 512;
const EMPTY = Buffer.alloc(0);

/** What the peer answered: `ok` false is its refusal, and then the payload is its text. */
export interface Reply {
  readonly ok: boolean;
  readonly payload: Buffer;
}

/** A request the peer made. */
export interface IncomingRequest {
  readonly name: string;
  readonly payload: Buffer;
  readonly wantReply: boolean;
}

/** Throws unless a payload is small enough for every peer. */
export function assertPayload(payload: Buffer): void {
  if (payload.length <= MAX_PAYLOAD_BYTES) return;
  throw new WireError("limit", `a payload of ${payload.length} bytes is too large to send`);
}

interface WaitingRequest {
  readonly name: string;
  readonly payload: Buffer;
  readonly timeoutMs: number;
  readonly reply: Deferred<Reply>;
}

/** What the outgoing queue works with. */
export interface OutgoingDeps {
  readonly clock: WireClock;
  send(name: string, payload: Buffer): void;
  /** A reply is overdue: later replies could not be matched, so the connection must end. */
  onOverdue(name: string): void;
}

/**
 * Our requests that want a reply: one on the wire at a time, as Go does, because replies carry no
 * number and are matched by their order.
 */
export class OutgoingRequests {
  readonly #deps: OutgoingDeps;
  #waiting: WaitingRequest[] = [];
  #current: WaitingRequest | undefined;
  #timer: WireTimer | undefined;

  constructor(deps: OutgoingDeps) {
    this.#deps = deps;
  }

  /** Whether no reply is waited for. */
  get isIdle(): boolean {
    return this.#current === undefined;
  }

  /** Sends when its turn comes; the time-out runs from then. */
  add(request: { name: string; payload: Buffer; timeoutMs: number }): Promise<Reply> {
    if (this.#waiting.length >= WAITING_LIMIT) {
      return Promise.reject(new WireError("limit", "too many requests wait for this peer"));
    }
    const reply = deferred<Reply>();
    this.#waiting.push({ ...request, reply });
    this.#next();
    return reply.promise;
  }

  /** The peer replied. Throws when it was not asked. */
  settle(reply: Reply): void {
    const request = this.#current;
    if (request === undefined) throw new WireError("protocol", "a reply to no request");
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#current = undefined;
    request.reply.resolve(reply);
    this.#next();
  }

  /** The connection has ended: everything still open fails. */
  end(error: WireError): void {
    this.#timer?.cancel();
    const open = this.#current === undefined ? this.#waiting : [this.#current, ...this.#waiting];
    this.#current = undefined;
    this.#waiting = [];
    for (const request of open) request.reply.reject(error);
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const request = this.#waiting.shift();
    if (request === undefined) return;
    this.#current = request;
    this.#timer = this.#deps.clock.after(request.timeoutMs, () =>
      this.#deps.onOverdue(request.name),
    );
    this.#deps.send(request.name, request.payload);
  }
}

/** What the incoming queue works with. */
export interface IncomingDeps {
  /** Does the work; throws `RequestRefused` to refuse with a text. */
  handle(request: IncomingRequest): Promise<Buffer | undefined> | Buffer | undefined;
  answer(reply: Reply): void;
  /** A handler failed in a way it did not foresee; the peer only learns that it failed. */
  onFault(error: unknown, name: string): void;
  /** An answer could not be given, so none can be any more: the connection has to end. */
  abort(error: unknown): void;
  /** Whose requests these are: what may wait depends on its packets, and is counted with the rest. */
  readonly peer: RequestingPeer;
}

/** As much of a transport as waiting requests need. */
export interface RequestingPeer {
  /** The largest packet that is taken now; as many bytes of requests may wait. */
  readonly packetBytes: number;
  readonly held: Pick<HeldShare, "set">;
  readonly turns: Pick<OwnTurns, "nowMs" | "isOver" | "later">;
  /** Nothing more comes from it, also not of what has arrived, until `resume`. */
  pause(): void;
  resume(): void;
}

/**
 * The peer's requests: handled one after the other, answered in order, as Go does; as many in one turn
 * of the event loop as there is time for.
 */
export class IncomingRequests {
  readonly #deps: IncomingDeps;
  readonly #inbox = new Fifo<IncomingRequest>();
  #inboxBytes = 0;
  #isBusy = false;
  #isPaused = false;
  #isOver = false;

  constructor(deps: IncomingDeps) {
    this.#deps = deps;
  }

  add(request: IncomingRequest): void {
    this.#inbox.push(request);
    this.#count(costOf(request));
    if (!this.#isBusy) this.#work().catch((error) => this.#deps.abort(error));
    if (!this.#isPaused && this.#isFull(1)) {
      this.#isPaused = true;
      this.#deps.peer.pause();
    }
  }

  /** The connection has ended: what waits is dropped, and nothing is answered any more. */
  end(): void {
    this.#isOver = true;
    this.#inbox.clear();
  }

  #isFull(share: number): boolean {
    const isLong = this.#inbox.length > INBOX_LIMIT * share;
    const mostBytes = Math.min(INBOX_LIMIT_BYTES, this.#deps.peer.packetBytes);
    return isLong || this.#inboxBytes > mostBytes * share;
  }

  #count(bytes: number): void {
    this.#inboxBytes += bytes;
    this.#deps.peer.held.set("requests", this.#inboxBytes);
  }

  async #work(): Promise<void> {
    const { turns } = this.#deps.peer;
    this.#isBusy = true;
    let sinceMs = turns.nowMs();
    for (let request = this.#take(); request !== undefined; request = this.#take()) {
      const reply = await this.#reply(request);
      if (this.#isOver) return;
      if (request.wantReply) this.#deps.answer(reply);
      if (this.#inbox.length === 0 || !turns.isOver(sinceMs)) continue;
      await new Promise<void>((resolve) => turns.later(resolve));
      sinceMs = turns.nowMs();
    }
    this.#isBusy = false;
  }

  #take(): IncomingRequest | undefined {
    const request = this.#inbox.take();
    if (request === undefined) return undefined;
    this.#count(-costOf(request));
    if (this.#isPaused && !this.#isFull(0.5)) {
      this.#isPaused = false;
      this.#deps.peer.resume();
    }
    return request;
  }

  async #reply(request: IncomingRequest): Promise<Reply> {
    try {
      const payload = (await this.#deps.handle(request)) ?? EMPTY;
      assertPayload(payload);
      return { ok: true, payload };
    } catch (error) {
      if (error instanceof RequestRefused) return { ok: false, payload: refusal(error.message) };
      this.#deps.onFault(error, request.name);
      return { ok: false, payload: refusal("internal error") };
    }
  }
}

function costOf({ payload }: IncomingRequest): number {
  return REQUEST_BYTES + payload.length;
}

function refusal(text: string): Buffer {
  return Buffer.from(text).subarray(0, MAX_PAYLOAD_BYTES);
}
