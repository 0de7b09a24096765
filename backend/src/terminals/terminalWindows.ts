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

  /** The host has said where both directions go on. */
  begin(outputFrom: number, inputTaken: number): void {
    this.#outputTaken = outputFrom;
    this.#outputSent = outputFrom;
    this.#inputTaken = inputTaken;
  }

  /** Throws a `FrameError` for input beyond the window, and when output is confirmed that was not sent. */
  onViewer(frame: Frame): void {
    if (frame.kind === "outputTaken") {
      const sent = this.#outputSent;
      if (sent === undefined) return;
      if (frame.offset > sent) throw new FrameError("it confirms what was not sent");
      this.#outputTaken = Math.max(this.#outputTaken, frame.offset);
    } else if (frame.kind === "input" || frame.kind === "urgent") {
      const taken = this.#inputTaken;
      if (taken === undefined) return;
      requireWithin(frame, taken, TERMINAL.inputWindowBytes);
    }
  }

  /** Throws a `FrameError` for output beyond the window. */
  onHost(frame: Frame): void {
    if (frame.kind === "inputTaken")
      this.#inputTaken = Math.max(this.#inputTaken ?? 0, frame.offset);
    if (frame.kind !== "output") return;
    requireWithin(frame, this.#outputTaken, TERMINAL.outputWindowBytes);
    this.#outputSent = Math.max(this.#outputSent ?? 0, frame.offset + frame.bytes.length);
  }
}

function requireWithin(
  { offset, bytes }: { readonly offset: number; readonly bytes: Buffer },
  taken: number,
  window: number,
): void {
  if (offset + bytes.length <= taken + SLACK * window) return;
  throw new FrameError("there is more on the way than was confirmed");
}
