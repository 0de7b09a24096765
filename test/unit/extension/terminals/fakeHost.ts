import { randomBytes } from "node:crypto";
import { type Frame, FrameReader } from "@rport/protocol/terminal/frame";
import {
  type Attached,
  attachedSchema,
  TERMINAL,
  type ViewerOpening,
} from "@rport/protocol/terminal/terminal";
import type { Dial, LinkEnd, LinkEvents } from "../../../../extension/src/terminals/link.ts";

/** A connection of the viewer, as the host sees it. */
interface Joined {
  readonly events: LinkEvents;
  readonly reader: FrameReader;
}

/**
 * The other side of viewers: a host with one terminal that keeps what it has put out, and holds to the
 * windows of the contract. What it is sent wrongly it throws.
 */
export class FakeHost {
  id = randomBytes(16).toString("base64url") as Attached["id"];
  /** What viewers opened with, one after the other. */
  readonly openings: ViewerOpening[] = [];
  /** Frames that came, input and confirmations left out. */
  readonly others: Frame[] = [];
  /** What the program has read. */
  read = "";
  /** Output that the viewer has confirmed. */
  shown = 0;
  /** Whether a connection is answered at once. */
  isUp = true;
  /** Whether input is confirmed at once. */
  isReading = true;
  /** What it says to whoever comes, in place of the truth. */
  answer: ((host: FakeHost) => Frame) | undefined;
  checks = 0;
  /** Connections that the viewer has broken off. */
  cuts = 0;
  #output = Buffer.alloc(0);
  #keptFrom = 0;
  #sent = 0;
  #taken = 0;
  #waiting: Buffer[] = [];
  #joined: Joined | undefined;

  readonly dial: Dial = (events) => {
    const joined = { events, reader: new FrameReader() };
    queueMicrotask(() => {
      if (this.isUp) this.#join(joined);
      else events.onEnd({ kind: "lost", reason: "There is no way." });
    });
    const leave = () => {
      if (this.#joined === joined) this.#joined = undefined;
    };
    return {
      send: (bytes) => {
        if (this.#joined !== joined) return;
        for (const frame of joined.reader.read(bytes)) this.#receive(frame);
      },
      check: () => {
        this.checks += 1;
      },
      close: leave,
      cut: () => {
        this.cuts += 1;
        leave();
      },
    };
  };

  /** Whether somebody looks. */
  get isJoined(): boolean {
    return this.#joined !== undefined;
  }

  /** The program writes. */
  write(text: string | Buffer): void {
    this.#output = Buffer.concat([this.#output, Buffer.from(text as string)]);
    this.#pump();
  }

  /** What is kept begins here. */
  forgetBefore(offset: number): void {
    this.#keptFrom = offset;
  }

  /** The program reads again. */
  readOn(): void {
    this.isReading = true;
    this.#readAll();
  }

  /** The way is cut; what was on it is lost. */
  cut(end: LinkEnd = { kind: "lost", reason: "It was cut." }): void {
    const joined = this.#joined;
    this.#joined = undefined;
    joined?.events.onEnd(end);
  }

  /** Tells something. */
  tell(frame: Frame): void {
    if (frame.kind === "output")
      this.#sent = Math.max(this.#sent, frame.offset + frame.bytes.length);
    this.#joined?.events.onFrame(frame);
  }

  #join(joined: Joined): void {
    const opening = joined.events.opening();
    this.openings.push(opening);
    this.#joined = joined;
    const { wish } = opening;
    const from = Math.max(wish.kind === "resume" ? (wish.from ?? 0) : 0, this.#keptFrom);
    this.#sent = from;
    this.shown = from;
    // what no program has read is kept over a cut
    const attached = attachedSchema.parse({
      id: this.id,
      account: "root",
      shell: "/bin/sh",
      startedAtMs: 1,
      outputFrom: from,
      liveFrom: this.#output.length,
      inputTaken: this.#taken,
    });
    this.#waiting = [];
    const json = Buffer.from(JSON.stringify(attached));
    this.tell(this.answer?.(this) ?? { kind: "attached", json });
    this.#pump();
  }

  #pump(): void {
    for (;;) {
      const room = TERMINAL.outputWindowBytes - (this.#sent - this.shown);
      const bytes = this.#output.subarray(this.#sent, this.#sent + Math.min(room, 32 << 10));
      if (bytes.length === 0 || this.#joined === undefined) return;
      this.tell({ kind: "output", offset: this.#sent, bytes });
    }
  }

  #receive(frame: Frame): void {
    if (frame.kind === "outputTaken") {
      if (frame.offset > this.#sent) throw new Error("output was shown that was never sent");
      this.shown = frame.offset;
      this.#pump();
    } else if (frame.kind === "input" || frame.kind === "urgent") {
      this.#takeInput(frame.kind, frame.offset, frame.bytes);
    } else this.others.push(frame);
  }

  #takeInput(kind: "input" | "urgent", offset: number, bytes: Buffer): void {
    const waiting = this.#waiting.reduce((sum, { length }) => sum + length, 0);
    if (offset !== this.#taken + waiting) throw new Error(`input ${offset} is out of order`);
    if (waiting + bytes.length > TERMINAL.inputWindowBytes + 1) throw new Error("too much input");
    if (kind === "urgent") {
      this.#waiting = [];
      this.#taken = offset;
    }
    this.#waiting.push(Buffer.from(bytes));
    if (kind === "urgent" || this.isReading) this.#readAll();
  }

  #readAll(): void {
    const bytes = Buffer.concat(this.#waiting);
    if (bytes.length === 0) return;
    this.#waiting = [];
    this.#taken += bytes.length;
    this.read += bytes.toString("latin1");
    this.tell({ kind: "inputTaken", offset: this.#taken });
  }
}
