import { type Frame, FrameError } from "@rport/protocol/terminal/frame";
import {
  attachedSchema,
  TERMINAL,
  type TerminalWish,
  terminalEndSchema,
} from "@rport/protocol/terminal/terminal";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { z } from "zod";
import type { AuditedTerminal, TerminalEvents } from "../audit/terminalEvents.ts";
import type { Clock } from "../platform/clock.ts";
import { CUT_OFF, type FrameListener, TAKEN_OVER, type TerminalStream } from "./terminalStream.ts";
import type { Terminals } from "./terminals.ts";
import type { OpenTerminal } from "./terminalTable.ts";
import { TerminalWindows } from "./terminalWindows.ts";

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
}

/**
 * One viewer at one terminal: what its host says of it is read on the way. One that was begun for
 * somebody who left before they were told of it is closed, since nobody could come back to it.
 */
export class Attachment implements FrameListener {
  readonly #deps: AttachmentDeps;
  readonly #windows = new TerminalWindows();
  #isAttached = false;

  constructor(deps: AttachmentDeps) {
    this.#deps = deps;
  }

  /** The channel is there; what comes on it is heard from now on. */
  begin(): void {
    const { terminal, stream } = this.#deps;
    terminal.viewer = stream;
    stream.listen(this);
    if (stream.destroyed) this.#left();
    else stream.once("close", () => this.#left());
  }

  onViewer(frame: Frame): void {
    this.#windows.onViewer(frame);
  }

  onHost(frame: Frame): void {
    if (frame.kind === "ended") this.#ended(frame.json);
    else if (frame.kind === "attached") this.#attached(frame.json);
    else if (!this.#isAttached) throw new FrameError("it has to begin with what it is");
    else this.#windows.onHost(frame);
  }

  whyCut(): typeof CUT_OFF | typeof TAKEN_OVER {
    const { terminal, stream } = this.#deps;
    const isTakenOver = [...terminal.takers].some((taker) => taker !== stream);
    return isTakenOver ? TAKEN_OVER : CUT_OFF;
  }

  #attached(json: Buffer): void {
    const { terminal, events, wish, audited } = this.#deps;
    if (this.#isAttached) throw new FrameError("it has begun already");
    const { id, account, startedAtMs, outputFrom, inputTaken } = parsed(attachedSchema, json);
    if (id !== terminal.id) throw new FrameError("it is another terminal");
    this.#isAttached = true;
    this.#windows.begin(outputFrom, inputTaken);
    terminal.account = account;
    terminal.startedAtMs = startedAtMs;
    if (wish.kind === "new") events.opened({ ...audited, account });
    else events.resumed({ ...audited, account });
  }

  #ended(json: Buffer): void {
    const { terminals, terminal, clock } = this.#deps;
    const end = parsed(terminalEndSchema, json);
    if (terminals.table.get(terminal.id) !== terminal) return;
    terminals.over(terminal, { end, endedAtMs: clock.now() });
  }

  #left(): void {
    const { terminals, terminal, stream, wish } = this.#deps;
    if (terminal.viewer === stream) terminal.viewer = undefined;
    if (wish.kind === "new" && !this.#isAttached) terminals.end(terminal, "closed");
  }
}

function parsed<S extends z.ZodType>(schema: S, json: Buffer): z.output<S> {
  const { data } = schema.safeParse(parseJsonPayload(json, TERMINAL.openingBytes));
  if (data === undefined) throw new FrameError("it says what cannot be read");
  return data;
}
