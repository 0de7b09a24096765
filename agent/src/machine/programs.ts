import { execFile } from "node:child_process";
import { requireProgramRoom } from "../platform/descriptors.ts";
import { systemProgram, windowsEnvironment } from "./windows/environment.ts";

/** Time a program of the system gets; `systemctl stop` waits for the agent's goodbye. */
const PROGRAM_MS = 60_000;
const OUTPUT_MAX_BYTES = 1 << 20;
const SBIN = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Nothing of the caller's, whatever `PATH` says; programs of Windows start only where they find it. */
const ENVIRONMENT =
  process.platform === "win32" ? windowsEnvironment() : { PATH: SBIN, LC_ALL: "C" };

/** How a program of the system ended. A program that could not be started has code 127. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The door to the system's own programs; tests give their own. */
export interface Programs {
  /** Rejects where this process has no descriptors left to start one with. */
  run(program: string, args: readonly string[]): Promise<ProgramResult>;
}

const located = process.platform === "win32" ? systemProgram : (program: string) => program;

/** This machine's programs, from the usual directories whatever `PATH` says, in plain English. */
export const SYSTEM_PROGRAMS: Programs = {
  run: (program, args) =>
    new Promise((resolve) => {
      requireProgramRoom();
      const options = { env: ENVIRONMENT, timeout: PROGRAM_MS, maxBuffer: OUTPUT_MAX_BYTES };
      execFile(located(program), [...args], options, (error, stdout, stderr) => {
        resolve({ code: exitCode(error), stdout, stderr });
      });
    }),
};

function exitCode(error: (Error & { code?: unknown }) | null): number {
  if (error === null) return 0;
  return typeof error.code === "number" ? error.code : 127;
}

/**
 * Standard output of a program, however it ends; rejects when the signal fires before, which ends it, and as
 * `Programs` does.
 */
export function outputOf(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    requireProgramRoom();
    const options = { env: ENVIRONMENT, signal, maxBuffer: OUTPUT_MAX_BYTES, windowsHide: true };
    execFile(program, [...args], options, (error, stdout) => {
      const didRun = !signal.aborted && exitCode(error) !== 127;
      if (didRun) resolve(stdout);
      else reject(error ?? signal.reason);
    });
  });
}

/** Runs a program that has to succeed. Rejects with its own words. */
export async function must(
  programs: Programs,
  program: string,
  args: readonly string[],
): Promise<string> {
  const { code, stdout, stderr } = await programs.run(program, args);
  if (code === 0) return stdout;
  const words = stderr.trim() || stdout.trim() || `status ${code}`;
  throw new Error(`${program} ${args.join(" ")} failed: ${words.slice(0, 500)}`);
}
