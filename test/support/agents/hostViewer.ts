import { randomBytes } from "node:crypto";
import {
  encodeFrame,
  FRAME_DATA_BYTES,
  type Frame,
  FrameReader,
} from "@rport/protocol/terminal/frame";
import {
  type Attached,
  attachedSchema,
  type HostOpening,
  hostOpeningSchema,
  TERMINAL,
  TERMINAL_CHANNEL,
  type TerminalEnd,
  terminalEndSchema,
} from "@rport/protocol/terminal/terminal";
import type { Channel } from "@rport/protocol/wire/channel";
import { within } from "../within.ts";
import type { ServerSession } from "./agentServer.ts";

/** What a viewer needs of a server. */
export type ViewerServer = Pick<ServerSession, "connection">;

/** What a viewer opens a terminal with, where it differs from the usual. */
export type Opening = Partial<Record<keyof HostOpening, unknown>>;

/** An opening as the backend would write it: a new terminal of somebody. */
export function openingOf(given: Opening = {}): HostOpening {
  return hostOpeningSchema.parse({
    id: randomBytes(16).toString("base64url"),
    owner: "account-1",
    ownerName: "anna",
    size: { cols: 80, rows: 24 },
    wish: { kind: "new" },
    ...given,
  });
}

/** How a viewer behaves. */
export interface ViewerManners {
  /** Whether what comes is confirmed at once; else by `take`. */
  readonly confirms?: boolean;
  /** The number that its input goes on with; what the host says unless given. */
  readonly inputFrom?: number;
  /** Whether what comes is kept; else it is only counted. */
  readonly keeps?: boolean;
}

/** The backend's end of a terminal of an agent. */
export class HostViewer {
  readonly opening: HostOpening;
  readonly channel: Channel;
  /** All that came, unless it is only counted. */
  readonly pieces: Buffer[] = [];
  /** How often and how far the host said that input was taken. */
  readonly taken: number[] = [];
  /** Number of the byte behind the last one that came. */
  outputEnd = 0;
  ended: TerminalEnd | undefined;
  attached: Attached | undefined;
  isClosed = false;
  readonly #manners: ViewerManners;
  readonly #reader = new FrameReader();
  readonly #watchers = new Set<() => void>();
  #inputEnd = 0;

  private constructor(channel: Channel, opening: HostOpening, manners: ViewerManners) {
    this.channel = channel;
    this.opening = opening;
    this.#manners = manners;
    channel.on("error", () => {});
    channel.on("data", (piece: Buffer) => {
      for (const frame of this.#reader.read(piece)) this.#got(frame);
      this.#changed();
    });
    channel.once("close", () => {
      this.isClosed = true;
      this.#changed();
    });
  }

  /** Opens a terminal, and resolves when the host has said that it is there. */
  static async open(
    session: ViewerServer,
    given: Opening = {},
    manners: ViewerManners = {},
  ): Promise<HostViewer> {
    const opening = openingOf(given);
    const extra = Buffer.from(JSON.stringify(opening));
    const channel = await session.connection.open(TERMINAL_CHANNEL, extra);
    const viewer = new HostViewer(channel, opening, manners);
    await viewer.until("the host to attach", () => viewer.attached !== undefined);
    return viewer;
  }

  /** A viewer that comes back to it, on this or another connection. */
  async again(session: ViewerServer, from?: number, manners?: ViewerManners): Promise<HostViewer> {
    const { id, owner } = this.opening;
    return await HostViewer.open(
      session,
      { id, owner, wish: { kind: "resume", id, from } },
      manners,
    );
  }

  /** Everything that came. */
  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }

  /** The same as text. */
  get text(): string {
    return this.bytes.toString("utf8");
  }

  /** All input before it was sent. */
  get inputEnd(): number {
    return this.#inputEnd;
  }

  /** Sends a frame. */
  send(frame: Frame): void {
    this.channel.write(encodeFrame(frame));
  }

  /** Types a text, or pastes it: as much at once as may be unconfirmed. Resolves when all is sent. */
  async type(text: string | Buffer): Promise<void> {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) {
      await this.until("the host to take input", () => this.#inputRoom > 0);
      const piece = bytes.subarray(at, at + Math.min(this.#inputRoom, FRAME_DATA_BYTES));
      this.send({ kind: "input", offset: this.#inputEnd, bytes: piece });
      this.#inputEnd += piece.length;
      at += piece.length;
    }
  }

  /** Types what goes ahead of all that waits. */
  urge(text: string): void {
    const bytes = Buffer.from(text);
    this.send({ kind: "urgent", offset: this.#inputEnd, bytes });
    this.#inputEnd += bytes.length;
  }

  /** Confirms everything that came. */
  take(): void {
    this.send({ kind: "outputTaken", offset: this.outputEnd });
  }

  /** Resolves when something is so; rejects with what was waited for. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    if (isSo()) return;
    const so = new Promise<void>((resolve) => {
      const watcher = () => {
        if (!isSo()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
    const seen = () => `${what}; ${this.outputEnd} bytes came, at last ${this.#tail()}`;
    await within(seen, so);
  }

  /** Resolves when this was written. */
  async untilText(text: string): Promise<void> {
    await this.until(JSON.stringify(text), () => this.text.includes(text));
  }

  /** Resolves with the end of the terminal. */
  async untilEnded(): Promise<TerminalEnd> {
    await this.until("the end of the terminal", () => this.ended !== undefined || this.isClosed);
    if (this.ended === undefined) throw new Error("the channel was closed without an end");
    return this.ended;
  }

  get #inputRoom(): number {
    return TERMINAL.inputWindowBytes - (this.#inputEnd - (this.taken.at(-1) ?? 0));
  }

  #tail(): string {
    return JSON.stringify(this.pieces.at(-1)?.subarray(-200).toString("utf8") ?? "");
  }

  #got(frame: Frame): void {
    if (frame.kind === "attached") this.#begin(frame.json);
    if (frame.kind === "ended")
      this.ended = terminalEndSchema.parse(JSON.parse(String(frame.json)));
    if (frame.kind === "inputTaken") this.taken.push(frame.offset);
    if (frame.kind === "output") this.#output(frame.offset, frame.bytes);
  }

  #begin(json: Buffer): void {
    const attached = attachedSchema.parse(JSON.parse(String(json)));
    this.attached = attached;
    this.outputEnd = attached.outputFrom;
    this.#inputEnd = this.#manners.inputFrom ?? attached.inputTaken;
    this.taken.push(attached.inputTaken);
  }

  #output(offset: number, bytes: Buffer): void {
    if (offset !== this.outputEnd) throw new Error(`byte ${offset} came behind ${this.outputEnd}`);
    this.outputEnd += bytes.length;
    if (this.#manners.keeps ?? true) this.pieces.push(Buffer.from(bytes));
    if (this.#manners.confirms ?? true) this.take();
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
