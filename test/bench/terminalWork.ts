import { once } from "node:events";
import { stat } from "node:fs/promises";
import { pause } from "./harness.ts";

/** A terminal with a shell in it, as whoever sits before it has it. */
export interface BenchTerminal {
  type(text: string): void;
  /** Ends its shell. */
  close(): void;
}

/** Opens one; tells what it shows, in order. */
export type OpenTerminal = (onShown: (text: string) => void) => BenchTerminal;

/** How large terminals of a bench are. */
export const SIZE = { cols: 120, rows: 40 } as const;
/** What their shell is. */
export const SHELL = "/bin/sh";

/** Between two keys: nobody types faster, and what was shown before is out. */
const BETWEEN_MS = 12;
/** Keys of one line, which is thrown away then. */
const LINE_KEYS = 50;
const ERASE_LINE = "\u0015";
const INTERRUPT = "\u0003";
/** For a flood to be at full speed. */
const WARM_MS = 300;
/** What is kept of the text, to look for something in it. */
const TAIL_CHARACTERS = 256;
const PROMPT = /[#$] $/;

/** What can be asked of a process that has one terminal. */
export function terminalHandlers(open: OpenTerminal) {
  let watched: Watched | undefined;
  const terminal = () => {
    if (watched === undefined) throw new Error("no terminal is open");
    return watched;
  };
  return {
    /** Milliseconds from the command to the first prompt. */
    async open(): Promise<number> {
      const fromMs = performance.now();
      watched = new Watched(open);
      await watched.untilShown(PROMPT);
      return performance.now() - fromMs;
    },
    /** Milliseconds from each key to its echo. */
    echo: ({ keys }: { readonly keys: number }) => echoTimes(terminal(), keys),
    /** Megabytes a second of a file that is shown. */
    cat: ({ file }: { readonly file: string }) => catSpeed(terminal(), file),
    /** Has a program write as fast as it can. */
    async flood(): Promise<void> {
      terminal().type("yes a line of a program that does not stop\r");
      await pause(WARM_MS);
    },
    /** Milliseconds from `Ctrl+C` until the shell has the terminal again and nothing more comes. */
    async stop(): Promise<number> {
      const fromMs = performance.now();
      terminal().type(INTERRUPT);
      await terminal().untilShown(PROMPT);
      return performance.now() - fromMs;
    },
    close(): void {
      terminal().close();
      watched = undefined;
    },
  };
}

/** What a process with a terminal can be asked. */
export type TerminalHandlers = ReturnType<typeof terminalHandlers>;

/** A terminal, and the end of what it shows. */
class Watched {
  readonly #terminal: BenchTerminal;
  readonly #shown = new EventTarget();
  #tail = "";

  constructor(open: OpenTerminal) {
    this.#terminal = open((text) => {
      this.#tail = (this.#tail + text).slice(-TAIL_CHARACTERS);
      this.#shown.dispatchEvent(new Event("shown"));
    });
  }

  /** Types; what was shown before counts no more. */
  type(text: string): void {
    this.#tail = "";
    this.#terminal.type(text);
  }

  close(): void {
    this.#terminal.close();
  }

  /** Resolves once the end of what is shown fits. */
  async untilShown(fits: RegExp): Promise<void> {
    while (!fits.test(this.#tail)) await once(this.#shown, "shown");
  }
}

async function echoTimes(terminal: Watched, keys: number): Promise<number[]> {
  const times: number[] = [];
  for (let key = 1; key <= keys; key += 1) {
    await pause(BETWEEN_MS);
    const fromMs = performance.now();
    terminal.type("x");
    await terminal.untilShown(/x/);
    times.push(performance.now() - fromMs);
    if (key % LINE_KEYS === 0) terminal.type(ERASE_LINE);
  }
  terminal.type(`${ERASE_LINE}\r`);
  await terminal.untilShown(PROMPT);
  return times;
}

async function catSpeed(terminal: Watched, file: string): Promise<number> {
  const { size } = await stat(file);
  const fromMs = performance.now();
  terminal.type(`cat ${file}; echo shown $((1 + 1))\r`);
  await terminal.untilShown(/shown 2\r\n[#$] $/);
  return size / 1e6 / ((performance.now() - fromMs) / 1_000);
}
