import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer, Ask, Handlers, Ready } from "./childPort.ts";

/** How a program is started. */
export interface ProgramOptions {
  readonly program?: string;
  readonly args: readonly string[];
  /** Resolves the start with what it finds in the child's messages; by default, `ready`. */
  readonly isReady?: (message: object) => unknown;
  /** False for programs that know nothing of questions: they count as started at once. */
  readonly hasPort?: boolean;
  /** On top of this process's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Time a program gets to start, and to answer. */
const START_MS = 20_000;
const ANSWER_MS = 90_000;
/** What is kept of a program's output, for the case that it fails. */
const OUTPUT_BYTES = 4_000;

/** A program of a bench in a process of its own; killed at the end of its scope. */
export class Program<H extends Handlers> implements AsyncDisposable {
  readonly ready: unknown;
  readonly #child: ChildProcess;
  readonly #output: { text: string };
  readonly #exited: Promise<unknown>;
  #asked = 0;

  private constructor(child: ChildProcess, output: { text: string }, ready: unknown) {
    this.#child = child;
    this.#output = output;
    this.#exited = once(child, "exit");
    this.ready = ready;
    child.setMaxListeners(0);
  }

  /** Starts a script of this folder. Rejects when it does not come up. */
  static script<H extends Handlers>(
    file: string,
    args: readonly string[] = [],
    flags: readonly string[] = [],
  ): Promise<Program<H>> {
    const path = fileURLToPath(new URL(file, import.meta.url));
    return Program.start<H>({ args: [...flags, path, ...args] });
  }

  /** Starts any program. Rejects when it does not come up. */
  static async start<H extends Handlers>(options: ProgramOptions): Promise<Program<H>> {
    const { program = process.execPath, args, hasPort = true } = options;
    const stdio = hasPort ? (["ignore", "pipe", "pipe", "ipc"] as const) : PLAIN;
    const env = { ...process.env, ...options.environment };
    const child = spawn(program, args, { stdio: [...stdio], env });
    const output = collect(child);
    child.on("error", () => {});
    if (!hasPort) {
      await once(child, "spawn");
      return new Program<H>(child, output, undefined);
    }
    try {
      const ready = await untilReady(child, options.isReady ?? readyOf);
      return new Program<H>(child, output, ready);
    } catch (error) {
      child.kill("SIGKILL");
      throw new Error(`${args.at(-1)}: ${String(error)}\n${output.text}`);
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The end of what it has printed. */
  get output(): string {
    return this.#output.text;
  }

  /** Asks one of the child's handlers. */
  async ask<K extends keyof H & string>(
    name: K,
    ...input: Parameters<H[K]>
  ): Promise<Awaited<ReturnType<H[K]>>> {
    this.#asked += 1;
    const ask: Ask = { ask: this.#asked, name, input: input[0] };
    const answer = until(this.#child, ANSWER_MS, (message) => answerTo(message, ask.ask));
    this.#child.send(ask);
    const found = await answer.catch((error: unknown) => {
      throw new Error(`${name}: ${String(error)}\n${this.output}`);
    });
    if ("error" in found) throw new Error(`${name}: ${found.error}`);
    return found.value as Awaited<ReturnType<H[K]>>;
  }

  /** Ends it as a power cut would, and waits until it is gone. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill(signal);
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

const PLAIN = ["ignore", "pipe", "pipe"] as const;

function readyOf(message: object): unknown {
  return "ready" in message ? (message as Ready).ready : undefined;
}

function answerTo(message: object, ask: number): Answer | undefined {
  return "answer" in message && message.answer === ask ? (message as Answer) : undefined;
}

function untilReady(
  child: ChildProcess,
  isReady: (message: object) => unknown,
): Promise<NonNullable<unknown>> {
  return until(child, START_MS, (message) => isReady(message) ?? undefined);
}

/** Resolves with what `find` finds in a message; rejects when the child ends or time is up. */
function until<T extends NonNullable<unknown>>(
  child: ChildProcess,
  timeoutMs: number,
  find: (message: object) => T | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      child.off("message", onMessage);
      child.off("exit", onExit);
    };
    const onExit = (code: unknown, signal: unknown) => {
      end();
      reject(new Error(`ended with ${String(code ?? signal)}`));
    };
    const onMessage = (message: unknown) => {
      const found = find(message as object);
      if (found === undefined) return;
      end();
      resolve(found);
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    child.on("message", onMessage);
    child.once("exit", onExit);
  });
}

function collect(child: ChildProcess): { text: string } {
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output.text = (output.text + text).slice(-OUTPUT_BYTES);
    });
  }
  return output;
}
