import { Terminal } from "@xterm/headless";

/** The clipboard's. */
const CLIPBOARD = 52;
/** Has text behind it lead somewhere. */
const LINK = 8;
/** Other commands that terminals of the editor, or what stands behind them, obey. */
const COMMANDS = [0, 2, 4, 5, 7, 10, 525, 633];

/** What came of output in a terminal of the editor's kind. */
export interface Shown {
  /** Its lines, those that were moved up included. */
  readonly lines: readonly string[];
  /** What it sent by itself. */
  readonly answers: readonly string[];
  /** Commands that it obeyed, with their numbers; those for the clipboard and for links are left out. */
  readonly commands: readonly string[];
  /** Commands for the clipboard. */
  readonly clipboard: readonly string[];
  /** Commands that have text lead somewhere. */
  readonly links: readonly string[];
  /** Whether it would mark a paste now. */
  readonly takesPastes: boolean;
}

/** What a terminal as the editor has them makes of output that comes in these pieces. */
export async function shownIn(output: readonly string[]): Promise<Shown> {
  const terminal = new Terminal({ allowProposedApi: true, cols: 40, rows: 8, scrollback: 50 });
  const shown = { answers: [] as string[], commands: [] as string[] };
  const [clipboard, links]: [string[], string[]] = [[], []];
  terminal.onData((answer) => shown.answers.push(answer));
  terminal.parser.registerOscHandler(CLIPBOARD, (data) => {
    clipboard.push(data);
    return true;
  });
  terminal.parser.registerOscHandler(LINK, (data) => {
    links.push(data);
    return false;
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
  const takesPastes = terminal.modes.bracketedPasteMode;
  terminal.dispose();
  return { lines, clipboard, links, takesPastes, ...shown };
}
