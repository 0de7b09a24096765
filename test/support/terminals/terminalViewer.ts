import { once } from "node:events";
import { TERMINAL_PATH } from "@rport/protocol/http";
import { encodeFrame, type Frame, FrameReader } from "@rport/protocol/terminal/frame";
import {
  type Attached,
  attachedSchema,
  type TerminalEnd,
  type TerminalId,
  type TerminalSignal,
  type TerminalSize,
  terminalEndSchema,
  type ViewerOpening,
} from "@rport/protocol/terminal/terminal";
import { WebSocket } from "ws";
import { eventually } from "../eventually.ts";

/** What a test decides about its viewer. */
export interface TerminalViewerOptions {
  /** Of the backend: `http://host:port`. */
  readonly url: string;
  readonly token: string;
  readonly clientId: string;
  readonly wish?: Partial<Omit<Extract<ViewerOpening["wish"], { kind: "new" }>, "kind">>;
  /** The terminal to go on with, instead of a new one. */
  readonly resume?: { readonly id: TerminalId; readonly from?: number };
  readonly size?: TerminalSize;
  /** Whether output is confirmed as it comes; usually it is. */
  readonly confirms?: boolean;
}

/** How a socket was closed. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A viewer of a terminal over its WebSocket, as an editor is one. */
export class TerminalViewer implements AsyncDisposable {
  /** The first answer of the host; rejects when the socket is closed before. */
  readonly attached: Promise<Attached>;
  /** How the terminal ended; rejects when the socket is closed without that. */
  readonly ended: Promise<TerminalEnd>;
  readonly closed: Promise<Closed>;
  readonly socket: WebSocket;
  /** All frames that came, but output. */
  readonly frames: Frame[] = [];
  /** Number of the byte of output that comes next. */
  outputAt = 0;
  /** Bytes of input that were sent since the terminal began. */
  inputAt = 0;
  /** What the host has said last that it took of the input. */
  inputTaken = 0;
  readonly #chunks: Buffer[] = [];
  readonly #confirms: boolean;
  readonly #attached = Promise.withResolvers<Attached>();
  readonly #ended = Promise.withResolvers<TerminalEnd>();
  readonly #reader = new FrameReader();

  private constructor(socket: WebSocket, confirms: boolean) {
    this.socket = socket;
    this.#confirms = confirms;
    this.attached = this.#attached.promise;
    this.ended = this.#ended.promise;
    this.attached.catch(() => {});
    this.ended.catch(() => {});
    socket.on("message", (data: Buffer) => {
      for (const frame of this.#reader.read(data)) this.#take(frame);
    });
    // What fails is closed, too.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) =>
      socket.once("close", (code, reason) => resolve(this.#closed(code, reason))),
    );
  }

  /** Connects, and says what it wants. Rejects when the upgrade is refused, with the status. */
  static async open(options: TerminalViewerOptions): Promise<TerminalViewer> {
    const viewer = await TerminalViewer.connect(options);
    const { resume, wish, size = { cols: 80, rows: 24 } } = options;
    const opening =
      resume === undefined
        ? { size, wish: { kind: "new", ...wish } }
        : { size, wish: { kind: "resume", ...resume } };
    viewer.say({ kind: "open", json: Buffer.from(JSON.stringify(opening)) });
    return viewer;
  }

  /** The same, and waits until the host has answered. */
  static async attach(options: TerminalViewerOptions): Promise<TerminalViewer> {
    const viewer = await TerminalViewer.open(options);
    await viewer.attached;
    return viewer;
  }

  /** Connects and says nothing. */
  static async connect({
    url,
    token,
    clientId,
    confirms = true,
  }: TerminalViewerOptions): Promise<TerminalViewer> {
    const query = new URLSearchParams({ client_id: clientId });
    const address = `${url.replace(/^http/, "ws")}${TERMINAL_PATH}?${query}`;
    const headers = { Authorization: `Bearer ${token}` };
    const socket = new WebSocket(address, { headers, perMessageDeflate: false });
    const viewer = new TerminalViewer(socket, confirms);
    await once(socket, "open");
    return viewer;
  }

  /** All output so far, as text. */
  get text(): string {
    return this.bytes.toString("utf8");
  }

  /** All output so far. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Sends a frame as it is. */
  say(frame: Frame): void {
    this.socket.send(encodeFrame(frame));
  }

  /** Sends bytes that need not be frames. */
  sayRaw(bytes: Buffer): void {
    this.socket.send(bytes);
  }

  /** Types, behind what was typed before. */
  type(text: string | Buffer): void {
    const bytes = Buffer.from(text);
    this.say({ kind: "input", offset: this.inputAt, bytes });
    this.inputAt += bytes.length;
  }

  resize(size: TerminalSize): void {
    this.say({ kind: "resize", ...size });
  }

  signal(signal: TerminalSignal): void {
    this.say({ kind: "signal", signal });
  }

  /** Resolves when the output so far fits. */
  async shows(fits: string | RegExp): Promise<void> {
    await eventually(() => {
      const { text } = this;
      const isThere = typeof fits === "string" ? text.includes(fits) : fits.test(text);
      if (!isThere) throw new Error(`the terminal does not show ${fits}: ${text.slice(-300)}`);
    });
  }

  /** Its network is cut: not even a goodbye is sent. */
  async cut(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }

  /** Wants no more of the terminal, which ends. */
  async end(): Promise<TerminalEnd> {
    this.say({ kind: "close" });
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.resume();
    this.socket.close();
    await this.closed;
  }

  #take(frame: Frame): void {
    if (frame.kind === "output") {
      this.#takeOutput(frame.offset, frame.bytes);
      return;
    }
    this.frames.push(frame);
    if (frame.kind === "inputTaken") this.inputTaken = frame.offset;
    else if (frame.kind === "attached") this.#takeAttached(frame.json);
    else if (frame.kind === "ended") this.#ended.resolve(parsed(terminalEndSchema, frame.json));
  }

  #takeAttached(json: Buffer): void {
    const attached = parsed(attachedSchema, json);
    this.outputAt = attached.outputFrom;
    this.inputAt = attached.inputTaken;
    this.inputTaken = attached.inputTaken;
    this.#attached.resolve(attached);
  }

  #takeOutput(offset: number, bytes: Buffer): void {
    if (offset !== this.outputAt) throw new Error(`output ${offset} came at ${this.outputAt}`);
    this.outputAt += bytes.length;
    this.#chunks.push(Buffer.from(bytes));
    if (this.#confirms && this.socket.readyState === WebSocket.OPEN) {
      this.say({ kind: "outputTaken", offset: this.outputAt });
    }
  }

  #closed(code: number, reason: Buffer): Closed {
    const closed = { code, reason: reason.toString() };
    const error = new Error(`the terminal's socket was closed: ${code} ${closed.reason}`);
    this.#attached.reject(error);
    this.#ended.reject(error);
    return closed;
  }
}

function parsed<T>(schema: { parse(value: unknown): T }, json: Buffer): T {
  return schema.parse(JSON.parse(json.toString("utf8")));
}
