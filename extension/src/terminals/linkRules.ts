import type { Frame } from "@rport/protocol/terminal/frame";
import { type Attached, TERMINAL } from "@rport/protocol/terminal/terminal";

/** The server lets a host send so many windows, because of what crosses on the way. */
const SLACK = 2;

/**
 * What the other side of one link may say (PROTOCOL.md, 1.5), from how far both directions have come. Everything
 * that it says has to bring one of them on, within what was confirmed or sent here: so neither a flood nor a
 * repetition keeps the window busy, or is held in it.
 */
export class LinkRules {
  /** Undefined: it has not said where both directions go on. */
  #outputNext: number | undefined;
  #outputShown = 0;
  #inputSent = 0;
  /** The next that is confirmed is this, at least: what was with the program when the link began is confirmed, too. */
  #inputNext = 0;

  /** It says where both directions go on, with so much output received before; whether it may. */
  begin({ outputFrom, inputTaken }: Attached, received: number): boolean {
    if (this.#outputNext !== undefined || outputFrom < received) return false;
    this.#outputNext = outputFrom;
    this.#outputShown = outputFrom;
    this.#inputSent = inputTaken;
    this.#inputNext = inputTaken;
    return true;
  }

  /** This goes to it. */
  onSent(frame: Frame): void {
    if (frame.kind === "outputTaken") {
      this.#outputShown = Math.max(this.#outputShown, frame.offset);
    } else if (frame.kind === "input" || frame.kind === "urgent") {
      this.#inputSent = frame.offset + frame.bytes.length;
    }
  }

  /** Whether it may say this now. */
  allows(frame: Frame): boolean {
    if (frame.kind === "ended") return true;
    if (frame.kind === "attached") return this.#outputNext === undefined;
    if (this.#outputNext === undefined) return false;
    if (frame.kind === "output") return this.#goesOn(frame.offset, frame.bytes.length);
    return frame.kind === "inputTaken" && this.#isConfirmed(frame.offset);
  }

  #goesOn(offset: number, length: number): boolean {
    const end = offset + length;
    const isNext = offset === this.#outputNext && length > 0;
    if (!isNext || end > this.#outputShown + SLACK * TERMINAL.outputWindowBytes) return false;
    this.#outputNext = end;
    return true;
  }

  #isConfirmed(offset: number): boolean {
    if (offset < this.#inputNext || offset > this.#inputSent) return false;
    this.#inputNext = offset + 1;
    return true;
  }
}
