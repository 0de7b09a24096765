import { Terminal } from "@xterm/headless";

/** The clipboard's. */
const CLIPBOARD = 52;
/** Other commands that terminals of the editor, or what stands behind them, obey. */
const COMMANDS = [0, 2, 4, 5, 7, 8, 10, 525, 633];

/** What came of output in a terminal of the editor's kind. */
export interface Shown {
  /** Its lines, those that were moved up included. */
  readonly lines: readonly string[];
  /** What it sent by itself. */
  readonly answers: readonly string[];
  /** Commands that it obeyed, with their numbers; those for the clipboard are left out. */
  readonly commands: readonly string[];
  /** Commands for the clipboard. */
  readonly clipboard: readonly string[];
}

/** What a terminal as the editor has them makes of output that comes in these pieces. */
export async function shownIn(output: readonly string[]): Promise<Shown> {
  const terminal = new Terminal({ allowProposedApi: true, cols: 40, rows: 8, scrollback: 50 });
  const shown = { answers: [] as string[], commands: [] as string[], clipboard: [] as string[] };
  terminal.onData((answer) => shown.answers.push(answer));
  terminal.parser.registerOscHandler(CLIPBOARD, (data) => {
    shown.clipboard.push(data);
    return true;
  });
  for (const number of COMMANDS) {
    terminal.parser.registerOscHandler(number, (data) => {
      shown.commands.push(`${number};${data}`);
      return false;
    });
  }
  for (const piece of output) terminal.write(piece);
  await new Promise<void>((resolve) => terminal.write("", resolve));
  const { active } = terminal.buffer;
  const lines = Array.from(
    { length: active.length },
    (_, at) => active.getLine(at)?.translateToString() ?? "",
  );
  terminal.dispose();
  return { lines, ...shown };
}
