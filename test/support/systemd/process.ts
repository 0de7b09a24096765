import { type ChildProcess, spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** What a finished program left behind. A program ended by a signal has code 128. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `env` is the whole environment, not an addition; without it the caller's own is handed on. */
export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: Record<string, string>;
  readonly timeoutMs?: number;
  readonly cwd?: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Runs a program to its end. Rejects only when it cannot be started or takes too long. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const env = options.env ?? process.env;
  const cwd = options.cwd ?? process.cwd();
  const child = spawn(command, args, { cwd, env, timeout: timeoutMs, killSignal: "SIGKILL" });
  // A program that does not read its input is no error of the test.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input);
  const [code, stdout, stderr] = await Promise.all([
    ended(child),
    text(child.stdout),
    text(child.stderr),
  ]);
  if (child.killed) throw new Error(`${command} did not end within ${timeoutMs} ms:\n${stderr}`);
  return { code, stdout, stderr };
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 128));
  });
}
