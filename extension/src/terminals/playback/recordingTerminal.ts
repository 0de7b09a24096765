import type { RecordingState } from "@rport/protocol/terminal/recording";
import type { TerminalSize } from "@rport/protocol/terminal/terminal";
import { t } from "@vscode/l10n";
import { EventEmitter, type Pseudoterminal, type TerminalDimensions } from "vscode";
import type { Clock } from "../../support/clock.ts";
import { describeError } from "../../support/describeError.ts";
import { inertLine } from "../../support/text.ts";
import { plainKey } from "../numberedKeys.ts";
import { TIDY } from "../tidy.ts";
import { isInterrupt, isKey } from "../typed.ts";
import { PAUSE_MS, type Pace, Player } from "./player.ts";
import { linesIn, type ReadPiece } from "./recordingPieces.ts";

const PACES: Readonly<Record<string, Pace>> = { "1": 1, "2": 2, "8": 8 };

/** What a recording is played with. */
export interface RecordingTerminalDeps {
  readonly name: string;
  /** Who opened what when, in a line. */
  readonly about: string;
  readonly pieces: AsyncIterable<ReadPiece>;
  readonly clock: Clock;
}

/** A terminal of the editor in which a recording is played. Nothing that is typed goes anywhere. */
export class RecordingTerminal implements Pseudoterminal {
  readonly #deps: RecordingTerminalDeps;
  readonly #player: Player;
  readonly #written = new EventEmitter<string>();
  readonly #closed = new EventEmitter<void>();
  readonly #renamed = new EventEmitter<string>();
  readonly #sized = new EventEmitter<TerminalDimensions>();
  readonly onDidWrite = this.#written.event;
  readonly onDidClose = this.#closed.event;
  readonly onDidChangeName = this.#renamed.event;
  readonly onDidOverrideDimensions = this.#sized.event;
  #state: RecordingState = "whole";
  #isOver = false;

  constructor(deps: RecordingTerminalDeps) {
    this.#deps = deps;
    this.#player = new Player({
      lines: this.#lines(),
      clock: deps.clock,
      show: (text) => this.#written.fire(text),
      onSize: ({ cols: columns, rows }: TerminalSize) => this.#sized.fire({ columns, rows }),
      markText: (text) => behindOutput(text),
    });
  }

  /** The editor shows it: it plays. */
  open(): void {
    this.#written.fire(inverse(this.#deps.about));
    const seconds = PAUSE_MS / 1_000;
    this.#written.fire(
      `${t("Space: pause and go on. 1, 2, 8: speed. q: end. Pauses of more than {0} s are shortened.", seconds)}\r\n`,
    );
    this.#player.play().then(
      () => this.#finish(endText(this.#state)),
      (error: unknown) => this.#finish(describeError(error)),
    );
  }

  /**
   * Keys; behind the end, any of them closes. Whoever closes it before has not heard its end, and is told nothing of
   * it. What the terminal answers to the recording is no key.
   */
  handleInput(text: string): void {
    const typed = plainKey(this.#player.typed(text));
    if (this.#isOver) {
      if (isKey(typed)) this.#closed.fire();
      return;
    }
    if (typed === "q" || isInterrupt(typed)) {
      this.#end();
      this.#closed.fire();
      return;
    }
    const pace = PACES[typed];
    if (typed === " ") this.#player.togglePause();
    else if (pace !== undefined) this.#player.setPace(pace);
    else return;
    this.#renamed.fire(this.#nameNow());
  }

  /** It is gone from the window. */
  close(): void {
    this.#end();
    for (const emitter of [this.#written, this.#closed, this.#renamed, this.#sized]) {
      emitter.dispose();
    }
  }

  async *#lines() {
    for await (const piece of this.#deps.pieces) {
      this.#state = piece.state;
      yield* linesIn(piece);
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#player.end();
  }

  #nameNow(): string {
    const { name } = this.#deps;
    const { pace } = this.#player;
    if (pace === 0) return t("{0} (paused)", name);
    return pace === 1 ? name : t("{0} ({1} times as fast)", name, pace);
  }

  #finish(sentence: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#written.fire(`${behindOutput(sentence)}${t("Press any key to close.")}\r\n`);
  }
}

/** A line of ours behind what programs have left of the screen. */
function behindOutput(text: string): string {
  return `${TIDY}\r\n${inverse(text)}`;
}

function inverse(text: string): string {
  return `\u001B[7m ${inertLine(text)} \u001B[0m\r\n`;
}

function endText(state: RecordingState): string {
  switch (state) {
    case "altered":
      return t(
        "This recording was altered on the server: what you saw is good, the rest is left out.",
      );
    case "unfinished":
      return t("The recording is over; it has no end: the server was killed, or it was cut off.");
    case "running":
      return t("The recording is over so far; its terminal is still open.");
    case "whole":
      return t("The recording is over.");
  }
}
