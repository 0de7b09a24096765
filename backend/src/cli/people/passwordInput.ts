import type { ReadStream } from "node:tty";
import { StartFailure } from "../../platform/startFailure.ts";

/** More than any password has. */
const INPUT_MAX = 4_096;

/** Enter, or Ctrl-D. */
const ENDS_LINE = new Set(["\r", "\n", "\u0004"]);
const ERASES = new Set(["\u007F", "\b"]);
/** Ctrl-C. */
const INTERRUPT = "\u0003";

/** Where a password is typed, or piped in; and where is said what is wanted. */
export interface PasswordPlace {
  readonly input: NodeJS.ReadableStream & Partial<Pick<ReadStream, "isTTY" | "setRawMode">>;
  readonly prompts: Pick<NodeJS.WritableStream, "write">;
}

/**
 * Reads a new password: from a terminal twice, unseen; else the first line of the input. It is never
 * an argument, which everybody on the machine could read. Fails with a `StartFailure`.
 */
export async function readPassword(place: PasswordPlace): Promise<string> {
  place.input.setEncoding("utf8");
  if (place.input.isTTY !== true) return await firstLine(place.input);
  const [first = "", again] = await typed(place, ["Password: ", "The same again: "]);
  if (first === again) return first;
  throw unusable("The two are not the same. Nothing was changed.");
}

async function firstLine(input: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of input) {
    text += String(chunk);
    if (text.includes("\n") || text.length > INPUT_MAX) break;
  }
  const [line = ""] = text.split(/\r?\n/);
  if (line.length > INPUT_MAX) throw unusable("That is too long for a password.");
  if (line !== "") return line;
  throw unusable("There is no password on the standard input.");
}

/** One line for each prompt, without an echo. What is pasted may have all of them. */
async function typed({ input, prompts }: PasswordPlace, wanted: readonly string[]) {
  const all = Promise.withResolvers<readonly string[]>();
  const lines: string[] = [];
  let keys: readonly string[] = [];
  const ask = (): void => void prompts.write(wanted[lines.length] ?? "");
  const onKey = (key: string): void => {
    if (key === INTERRUPT) all.reject(unusable("Interrupted. Nothing was changed."));
    else if (ENDS_LINE.has(key)) {
      lines.push(keys.join(""));
      keys = [];
      prompts.write("\n");
      ask();
      if (lines.length === wanted.length) all.resolve(lines);
    } else keys = ERASES.has(key) ? keys.slice(0, -1) : [...keys, key].slice(0, INPUT_MAX);
  };
  const onData = (chunk: unknown): void => {
    for (const key of String(chunk)) onKey(key);
  };
  const onEnd = (): void => all.reject(unusable("The terminal ended. Nothing was changed."));
  ask();
  input.setRawMode?.(true);
  input.on("data", onData).once("end", onEnd).resume();
  try {
    return await all.promise;
  } finally {
    input.removeListener("data", onData).removeListener("end", onEnd).pause();
    input.setRawMode?.(false);
  }
}

function unusable(message: string): StartFailure {
  return new StartFailure("configuration", message);
}
