import { type Frame, FrameError } from "@rport/protocol/terminal/frame";
import { TERMINAL } from "@rport/protocol/terminal/terminal";

/** Whoever sends a little more than a window, because of what crossed on the way, goes on. */
const SLACK = 2;

/**
 * How much both sides of a terminal have sent that the other has not confirmed. Whoever goes on beyond
 * its window breaks the rules: all that waits on the way would be held here.
 */
export class TerminalWindows {
  #outputTaken = 0;
  /** Up to this byte the host has sent; undefined: it has not said yet where it goes on. */
  #outputSent: number | undefined;
  /** Undefined: the host has not said yet how much there was before. */
  #inputTaken: number | undefined;
  /** Up to this byte the viewer has sent. */
  #inputSent = 0;

  /** The host has said where both directions go on. */
  begin(outputFrom: number, inputTaken: number): void {
    this.#outputTaken = outputFrom;
    this.#outputSent = outputFrom;
    this.#inputTaken = inputTaken;
    this.#inputSent = Math.max(this.#inputSent, inputTaken);
  }

  /** Throws a `FrameError` for input beyond the window, and when output is confirmed that was not sent. */
  onViewer(frame: Frame): void {
    if (frame.kind === "outputTaken") {
      requireSent(frame.offset, this.#outputSent);
      this.#outputTaken = Math.max(this.#outputTaken, frame.offset);
    } else if (frame.kind === "input" || frame.kind === "urgent") {
      const taken = this.#inputTaken;
      if (taken !== undefined) requireWithin(frame, taken, TERMINAL.inputWindowBytes);
      this.#inputSent = Math.max(this.#inputSent, frame.offset + frame.bytes.length);
    }
  }

  /**
   * Throws a `FrameError` for output beyond the window or that does not begin where the last ended, and when
   * input is confirmed that was not sent.
   */
  onHost(frame: Frame): void {
    if (frame.kind === "inputTaken") {
      requireSent(frame.offset, this.#inputSent);
      this.#inputTaken = Math.max(this.#inputTaken ?? 0, frame.offset);
    } else if (frame.kind === "output") {
      requireWithin(frame, this.#outputTaken, TERMINAL.outputWindowBytes);
      if (frame.offset !== this.#outputSent)
        throw new FrameError("its output has a gap, or comes twice");
      this.#outputSent += frame.bytes.length;
    }
  }
}

function requireSent(confirmed: number, sent: number | undefined): void {
  if (sent !== undefined && confirmed <= sent) return;
  throw new FrameError("it confirms what was not sent");
}

function requireWithin(
  { offset, bytes }: { readonly offset: number; readonly bytes: Buffer },
  taken: number,
  window: number,
): void {
  if (offset + bytes.length <= taken + SLACK * window) return;
  throw new FrameError("there is more on the way than was confirmed");
}
