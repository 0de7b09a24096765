import { Agent, ClientRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { answerTo } from "../asking/boundedHead.ts";
import { formatHostPort } from "../remote.ts";
import { connectPinned } from "../tls/peerPin.ts";
import type { TlsPin } from "../tls/tlsPin.ts";

/** Answers that have no body by their status. */
const BODILESS = [204, 205, 304];

/** What goes over a connection beside its address. */
export interface RequestParts {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * One connection to an `http:` origin, or to an `https:` one with that key. Requests go over it one after another, and over no
 * other: when it is lost they fail, because whoever answers the next one may be somebody else.
 */
export class OneConnection extends Agent {
  readonly #url: URL;
  readonly #pin: TlsPin | undefined;
  #socket: Socket | undefined;

  /** Throws for an `https:` origin without a pin: this connects to nobody it cannot recognise. */
  constructor(origin: string, pin?: TlsPin) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#url = new URL(origin);
    this.#pin = pin;
    if (this.#isSecure && pin === undefined) throw new Error("the key of the server is not known");
  }

  get #isSecure(): boolean {
    return this.#url.protocol === "https:";
  }

  /** The other end as `address:port`; undefined while there is no connection. */
  get place(): string | undefined {
    const { remoteAddress: host, remotePort: port } = this.#socket ?? {};
    return host === undefined || port === undefined ? undefined : formatHostPort({ host, port });
  }

  /** For the `Host` header. */
  get host(): string {
    return this.#url.host;
  }

  /** The agent's own: requests with whatever options belong to the one connection. */
  override getName(): string {
    return "one";
  }

  /** The agent's own: connects at the first request, and never again. */
  override createConnection(
    _options: unknown,
    done?: (error: Error | null, socket: Socket) => void,
  ): Socket | undefined {
    if (this.#socket !== undefined) {
      done?.(new Error("the connection was lost"), this.#socket);
      return undefined;
    }
    const host = this.#url.hostname.replace(/^\[|\]$/g, "");
    const pin = this.#pin;
    if (!this.#isSecure || pin === undefined) {
      this.#socket = connect({ host, port: Number(this.#url.port || 80) });
      return this.#socket;
    }
    const place = { host, port: Number(this.#url.port || 443), pins: [pin] };
    // Handed over only when the other end has proven its key: until then nothing is written.
    this.#socket = connectPinned(place, (error, socket) => done?.(error ?? null, socket));
    return undefined;
  }

  /**
   * Sends a request to a path of the origin. Rejects when the connection fails or is lost, or too much
   * comes before the answer.
   */
  async send(path: string, { method, headers, body, signal }: RequestParts): Promise<Response> {
    const all: Record<string, string | number> = { host: this.host };
    for (const [name, value] of Object.entries(headers)) all[name] = value;
    if (body !== undefined) all["content-length"] = Buffer.byteLength(body);
    // The editor replaces `http.request`, and with it the agent, by one of its own.
    const request = new ClientRequest({ agent: this, path, method, headers: all, signal });
    return toResponse(await answerTo(request, body));
  }

  /** Ends the connection, with whatever goes over it. */
  close(): void {
    this.#socket?.destroy();
    this.destroy();
  }
}

function toResponse(message: IncomingMessage): Response {
  const status = message.statusCode ?? 0;
  if (status < 200 || BODILESS.includes(status)) {
    message.resume();
    return new Response(null, { status: 204 });
  }
  const body: ReadableStream<Uint8Array> = Readable.toWeb(message);
  return new Response(body, { status });
}
