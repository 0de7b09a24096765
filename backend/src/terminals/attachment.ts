import type { Duplex } from "node:stream";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { type Frame, FrameError } from "@rport/protocol/terminal/frame";
import {
  attachedSchema,
  TERMINAL,
  type TerminalWish,
  terminalEndSchema,
} from "@rport/protocol/terminal/terminal";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import { heldFor } from "@rport/protocol/wire/relay";
import type { z } from "zod";
import type { AuditedTerminal, TerminalEvents } from "../audit/terminalEvents.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Recorder } from "../recordings/recorder.ts";
import { CUT_OFF, type FrameListener, TAKEN_OVER, type TerminalStream } from "./terminalStream.ts";
import type { Terminals } from "./terminals.ts";
import { type AttachedViewer, isSeen, type OpenTerminal } from "./terminalTable.ts";
import { TerminalWindows } from "./terminalWindows.ts";

/** A host says within this what it has, once it took the channel. */
const ATTACHED_MS = 25_000;

/** So long the rest of its output may take to be shown when a terminal is over. */
const REST_MS = 45_000;

/** What somebody is attached with. */
export interface AttachmentDeps {
  readonly terminals: Terminals;
  readonly events: Pick<TerminalEvents, "opened" | "resumed">;
  readonly clock: Clock;
  readonly terminal: OpenTerminal;
  readonly stream: TerminalStream;
  readonly wish: TerminalWish;
  /** With the address of whoever attaches. */
  readonly audited: AuditedTerminal;
  /** Undefined: what is shown is not recorded. */
  readonly recorder: Recorder | undefined;
}

/**
 * One viewer at one terminal: what its host says of it is read on the way. One that was begun for
 * somebody who left before they were told of it is closed, unless they came back to it meanwhile.
 */
export class Attachment implements AttachedViewer, FrameListener {
  readonly #deps: AttachmentDeps;
  readonly #windows = new TerminalWindows();
  /** What the host owes comes before this runs out. */
  #patience: Timer | undefined;
  #isAttached = false;

  constructor(deps: AttachmentDeps) {
    this.#deps = deps;
  }

  /** The channel is there; what comes on it is heard, and what waits for it counted, from now on. */
  begin(channel: Duplex): void {
    const { terminal, stream } = this.#deps;
    const held = heldFor(channel);
    if (held !== undefined) stream.countIn(held);
    terminal.viewer = this;
    stream.listen(this);
    if (stream.destroyed) this.#left();
    else {
      this.#wait(ATTACHED_MS, () => this.#silent());
      stream.once("close", () => this.#left());
    }
  }

  leave(code: number, reason: string): void {
    this.#deps.stream.leave(code, reason);
  }

  /** One that has said nothing yet has its time for that. */
  over(): void {
    if (!this.#isAttached || this.#deps.stream.destroyed) return;
    const reason = "The terminal has ended; the rest of its output took too long.";
    this.#wait(REST_MS, () => this.leave(CLOSE_CODES.cutOff, reason));
  }

  onViewer(frame: Frame): void {
    this.#windows.onViewer(frame);
    if (frame.kind === "resize") this.#deps.recorder?.resize(frame);
  }

  onHost(frame: Frame): Frame {
    if (frame.kind === "ended") this.#ended(frame.json);
    else if (frame.kind === "attached") return this.#attached(frame.json);
    else if (!this.#isAttached) throw new FrameError("it has to begin with what it is");
    else this.#windows.onHost(frame);
    if (frame.kind === "output") this.#deps.recorder?.output(frame.offset, frame.bytes);
    return frame;
  }

  whenShowable(): Promise<void> | undefined {
    return this.#deps.recorder?.written();
  }

  whyCut(): typeof CUT_OFF | typeof TAKEN_OVER {
    const { terminal, stream } = this.#deps;
    const isTakenOver = [...terminal.takers].some((taker) => taker !== stream);
    return isTakenOver ? TAKEN_OVER : CUT_OFF;
  }

  /** What the viewer is told of it: whether it is recorded is the server's word. */
  #attached(json: Buffer): Frame {
    const { terminals, terminal, events, wish, audited, recorder } = this.#deps;
    if (this.#isAttached) throw new FrameError("it has begun already");
    const attached = parsed(attachedSchema, json);
    const { id, account, outputFrom, inputTaken } = attached;
    if (id !== terminal.id) throw new FrameError("it is another terminal");
    this.#isAttached = true;
    recorder?.attached();
    this.#patience?.cancel();
    this.#windows.begin(outputFrom, inputTaken);
    if (!terminals.table.has(terminal)) this.over();
    terminal.account = account;
    if (wish.kind === "new") events.opened({ ...audited, account });
    else events.resumed({ ...audited, account });
    const told = { ...attached, recorded: recorder !== undefined };
    return { kind: "attached", json: Buffer.from(JSON.stringify(told)) };
  }

  #ended(json: Buffer): void {
    const { terminals, terminal, clock } = this.#deps;
    const end = parsed(terminalEndSchema, json);
    if (!terminals.table.has(terminal)) return;
    terminals.over(terminal, { end, endedAtMs: clock.now() });
  }

  #wait(ms: number, run: () => void): void {
    this.#patience?.cancel();
    this.#patience = this.#deps.clock.after(ms, run);
  }

  /** As one that did not answer at all: a terminal that was there may be gone on with later. */
  #silent(): void {
    const code = this.#deps.wish.kind === "new" ? CLOSE_CODES.refused : CLOSE_CODES.cutOff;
    this.leave(code, "The client did not answer in time.");
  }

  #left(): void {
    const { terminals, terminal, wish } = this.#deps;
    this.#patience?.cancel();
    if (terminal.viewer === this) terminal.viewer = undefined;
    const isNobodys = wish.kind === "new" && !this.#isAttached && !isSeen(terminal);
    if (isNobodys) terminals.end(terminal, "closed");
    terminals.left(terminal);
  }
}

function parsed<S extends z.ZodType>(schema: S, json: Buffer): z.output<S> {
  const { data } = schema.safeParse(parseJsonPayload(json, TERMINAL.openingBytes));
  if (data === undefined) throw new FrameError("it says what cannot be read");
  return data;
}
