import {
  encodeFrame,
  type Frame,
  FrameReader,
  PACKET_DATA_BYTES,
  VIEWER_KINDS,
} from "@rport/protocol/terminal/frame";
import type { Attached, TerminalEnd } from "@rport/protocol/terminal/terminal";
import type { Channel } from "@rport/protocol/wire/channel";
import { guarded, type OnFault } from "@rport/protocol/wire/contain";
import type { Clock } from "../platform/clock.ts";
import type { Floods } from "./floods.ts";
import { FloodTurn } from "./floodTurn.ts";
import type { Output } from "./output.ts";
import { LastOfMany } from "./pace.ts";

/** Output that follows other output is gathered for so long. */
const GATHER_MS = 2;

/** What a viewer works with. */
export interface ViewerDeps {
  readonly clock: Clock;
  readonly floods: Floods;
  readonly onFault: OnFault;
}

/** What a viewer has before it. */
export interface Viewed {
  readonly output: Pick<Output, "end" | "isFull" | "read">;
  /** How it ended, once no more output comes; undefined: some may come. */
  readonly lastWord: TerminalEnd | undefined;
  /** What the viewer said. Throws for what it may not say. */
  onFrame(frame: Frame): void;
  /** It has gone: the channel is closed, or cannot be understood any more; told once. */
  onGone(why: { readonly hasSeenEnd: boolean; readonly fault?: unknown }): void;
}

/** The one who looks at a terminal, on a channel of the server. */
export class Viewer {
  readonly #channel: Channel;
  readonly #viewed: Viewed;
  readonly #reader = new FrameReader();
  /** All output before it was sent. */
  #sent: number;
  #isGone = false;
  /** What a program writes comes in small pieces; undefined: nobody listens yet. */
  #pieces: LastOfMany | undefined;
  /** Undefined: as before. */
  #turn: FloodTurn | undefined;

  constructor(channel: Channel, viewed: Viewed, attached: Attached) {
    this.#channel = channel;
    this.#viewed = viewed;
    this.#sent = attached.outputFrom;
    this.#send({ kind: "attached", json: Buffer.from(JSON.stringify(attached)) });
  }

  /** Listens to the channel, and shows what there is. */
  begin({ clock, floods, onFault }: ViewerDeps): void {
    const channel = this.#channel;
    this.#pieces = new LastOfMany(clock, GATHER_MS);
    channel.on("error", () => undefined);
    channel.on(
      "data",
      guarded(onFault, (piece: Buffer) => this.#read(piece)),
    );
    channel.on(
      "drain",
      guarded(onFault, () => this.showNews()),
    );
    const onBegin = guarded(onFault, () => this.showNews());
    this.#turn = new FloodTurn(floods, onBegin);
    const leave = guarded(onFault, () => this.#leave({ hasSeenEnd: false }));
    channel.once("end", leave);
    channel.once("close", leave);
    this.show();
  }

  /** Sends what the channel takes of the output; behind all of it, the end. */
  show(): void {
    const { output } = this.#viewed;
    while (this.#maySend && this.#sent < output.end) {
      const bytes = output.read(this.#sent, PACKET_DATA_BYTES);
      this.#send({ kind: "output", offset: this.#sent, bytes });
      this.#sent += bytes.length;
      if (bytes.length === PACKET_DATA_BYTES) this.#turn?.count();
    }
    const { lastWord } = this.#viewed;
    if (lastWord !== undefined && this.#sent === output.end) this.end(lastWord);
  }

  /**
   * The same for what a program may have written: the first of it goes at once, because people wait for
   * their echo. What follows is gathered for a moment, unless the program waits, or it is a packet.
   */
  showNews(): void {
    const { output } = this.#viewed;
    this.#pieces?.run(() => this.show());
    if (output.isFull || output.end - this.#sent >= PACKET_DATA_BYTES) this.#pieces?.hurry();
  }

  /** Tells how far the input was taken. */
  tellTaken(offset: number): void {
    this.#send({ kind: "inputTaken", offset });
  }

  /** Tells the end, and nothing more. */
  end(end: TerminalEnd): void {
    this.#send({ kind: "ended", json: Buffer.from(JSON.stringify(end)) });
    this.#leave({ hasSeenEnd: true });
  }

  /** Somebody else looks at it now. */
  dismiss(): void {
    this.#isGone = true;
    this.#pieces?.cancel();
    this.#turn?.end();
    this.#channel.destroy();
  }

  get #maySend(): boolean {
    return !this.#isGone && this.#turn?.isOver !== true && !this.#channel.writableNeedDrain;
  }

  #read(piece: Buffer): void {
    if (this.#isGone) return;
    try {
      for (const frame of this.#reader.read(piece)) {
        if (!VIEWER_KINDS.has(frame.kind) || frame.kind === "open") {
          throw new Error(`a viewer says no ${frame.kind}`);
        }
        this.#viewed.onFrame(frame);
      }
    } catch (fault) {
      this.#leave({ hasSeenEnd: false, fault });
    }
  }

  #leave(why: { readonly hasSeenEnd: boolean; readonly fault?: unknown }): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#pieces?.cancel();
    this.#turn?.end();
    // The end is sent before the channel is closed, as far as the server reads it.
    if (why.hasSeenEnd) this.#channel.end(() => this.#channel.destroy());
    else this.#channel.destroy();
    this.#viewed.onGone(why);
  }

  #send(frame: Frame): void {
    if (!this.#isGone && this.#channel.writable) this.#channel.write(encodeFrame(frame));
  }
}
