import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ENDPOINT_FILE, type EndpointFile, endpointFileSchema } from "@rport/protocol/endpointFile";
import { within } from "../within.ts";
import { TestApi } from "./api.ts";

const MAIN = fileURLToPath(new URL("../../../backend/src/main.ts", import.meta.url));

/** How a backend's process ended. */
export interface Ended {
  /** Its exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** A backend in a process of its own, as people start it. Killed at the end of its scope. */
export interface SpawnedBackend extends AsyncDisposable {
  readonly pid: number;
  readonly endpoint: EndpointFile;
  readonly api: TestApi;
  /** What it printed for people. */
  stdout(): string;
  /** Its log. */
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** Ends it as a power cut would, and waits until it is gone. */
  kill(): Promise<void>;
}

/** How a backend is run as a process. */
export interface BackendProgram {
  /** This checkout's unless another is given. */
  readonly main?: string;
  /** How many files it may open, where that differs from the tests' own limit. */
  readonly descriptors?: number;
  /** What its environment has beside the tests' PATH and HOME. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Starts a backend's program in a data directory; resolves when it says that it is ready.
 */
export async function spawnBackend(
  dataDir: string,
  args: readonly string[] = [],
  { main = MAIN, descriptors, environment = {} }: BackendProgram = {},
): Promise<SpawnedBackend> {
  const run = start(
    [main, "--data-dir", dataDir, "--port", "0", ...args],
    environment,
    descriptors,
  );
  const begun = Promise.race([run.ready, run.ended]);
  await within(() => `a backend to be ready; it says: ${run.stderr()}`, begun);
  if (!run.stdout().includes("is ready")) throw new Error(`it did not start: ${run.stderr()}`);
  const text = await readFile(join(dataDir, ENDPOINT_FILE), "utf8");
  const endpoint = endpointFileSchema.parse(JSON.parse(text));
  const kill = async (): Promise<void> => {
    run.signal("SIGKILL");
    await run.ended;
  };
  const api = new TestApi(endpoint.url, endpoint.token);
  return { ...run, endpoint, api, kill, [Symbol.asyncDispose]: kill };
}

/** Runs `main.ts` with these arguments until it ends by itself, as a failed start does. */
export function runBackend(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { ended, stderr } = start([MAIN, ...args], environment);
  return within(() => `a backend to end; it says: ${stderr()}`, ended);
}

function start(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  descriptors?: number,
) {
  const { PATH, HOME } = process.env;
  // no folder: what a test starts is no backend that the editor of whoever runs it should find
  const env = { PATH, HOME, XDG_STATE_HOME: "/dev/null", ...environment };
  const limited = descriptors === undefined ? [] : ["prlimit", `--nofile=${descriptors}`];
  const [program = "", ...rest] = [...limited, process.execPath, ...args];
  const child = spawn(program, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  const output = { stdout: "", stderr: "" };
  const ready = Promise.withResolvers<void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      if (output.stdout.includes("is ready")) ready.resolve();
    });
  }
  const ended = once(child, "close").then(
    ([code, signal]): Ended => ({ code: code ?? signal, ...output }),
  );
  return {
    pid: child.pid ?? 0,
    ready: ready.promise,
    ended,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    signal: (name: NodeJS.Signals) => void child.kill(name),
  };
}
