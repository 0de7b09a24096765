import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A script of `test/support` in a process of its own; killed at the end of its scope. */
export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The lines of its standard output, as they come. */
  readonly lines: AsyncIterableIterator<string>;
  /** Ends it as a power cut would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Its exit code, once it ended by itself. */
  readonly exited: Promise<number | null>;
}

/** Starts `test/support/<script>` on the Node that runs the tests. */
export function startChild(script: string, args: readonly string[]): Child {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit").then(([code]) => (typeof code === "number" ? code : null));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  return {
    process: child,
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    kill,
    exited,
    [Symbol.asyncDispose]: kill,
  };
}
