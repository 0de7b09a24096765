import { spawn } from "node:child_process";
import { once } from "node:events";
import { within } from "../within.ts";

/** A program at a terminal of its own, and somebody who types. */
export interface Terminal extends AsyncDisposable {
  /** All that the screen has shown so far. */
  readonly shown: string;
  /** Resolves when the screen shows `text`; rejects when the program ends without. */
  shows(text: string): Promise<void>;
  type(text: string): void;
  /** The program's exit code. */
  readonly ended: Promise<number | null>;
}

/** Runs a program of plain words at a new terminal, by `script` of util-linux. */
export function openTerminal(words: readonly string[]): Terminal {
  const child = spawn("script", ["-qec", words.join(" "), "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    shown += chunk;
  });
  const ended = once(child, "close").then(([code]) => (typeof code === "number" ? code : null));
  return {
    get shown() {
      return shown;
    },
    async shows(text) {
      while (!shown.includes(text)) {
        const more = Promise.race([once(child.stdout, "data"), ended]);
        const event = await within(() => `"${text}" on the terminal; it shows: ${shown}`, more);
        if (!Array.isArray(event)) throw new Error(`the program ended: ${shown}`);
      }
    },
    type: (text) => void child.stdin.write(text),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
