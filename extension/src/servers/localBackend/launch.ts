import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../support/clock.ts";
import type { BackendBundle } from "./bundle.ts";
import { nodeEnvironment } from "./nodes.ts";

/** What the backend logs, in its data directory. */
export const LOG_FILE = "backend.log";
/** What it writes before it has a log, and where it ends without one. */
const START_FILE = "start.log";
/** A start that takes longer has failed. A slow disk with a large database may need a part of it. */
const START_MS = 60_000;
/** The end of what was written that is read. */
const OUTPUT_MAX = 8_192;
/** Exit statuses of the backend: the directory is taken, the address is. */
const IN_USE = 73;
const PORT_IN_USE = 98;

/** What a start needs. */
export interface LaunchDeps {
  readonly bundle: BackendBundle;
  /** The Node that runs it. */
  readonly node: string;
  readonly dataDir: string;
  /** Flags of the backend, beside those that say where it keeps and logs things. */
  readonly args: readonly string[];
  readonly clock: Clock;
}

/** What came of a start. */
export type Launch =
  | { readonly kind: "listening" }
  /** Another process owns the data directory. */
  | { readonly kind: "inUse" }
  | {
      readonly kind: "failed";
      readonly isPortTaken: boolean;
      /** The last that it wrote; it may hold anything. */
      readonly output: string;
    };

/**
 * Starts the backend as a process of its own, which survives this window and its editor. Resolves when it
 * listens, or has ended. Rejects when the data directory cannot be made or the program cannot be run.
 */
export async function launch({ bundle, node, dataDir, args, clock }: LaunchDeps): Promise<Launch> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const written = join(dataDir, START_FILE);
  await using output = await open(written, "w", 0o600);
  const places = ["--data-dir", dataDir, "--log-file", join(dataDir, LOG_FILE)];
  const child = spawn(node, [...bundle.flags, bundle.main, ...places, ...args], {
    // the folder that is open in the window must stay free to be moved
    cwd: dataDir,
    detached: true,
    windowsHide: true,
    stdio: ["ignore", output.fd, output.fd, "ipc"],
    env: { ...bundle.environment, ...nodeEnvironment(process.env) },
  });
  const code = await outcomeOf(child, clock);
  if (code === "listening") {
    child.disconnect();
    child.unref();
    return { kind: "listening" };
  }
  if (code === IN_USE) return { kind: "inUse" };
  const text = (await readFile(written, "utf8")).slice(-OUTPUT_MAX);
  return { kind: "failed", isPortTaken: code === PORT_IN_USE, output: text };
}

/** Its exit status, unless it listens; whatever takes too long is ended. */
function outcomeOf(child: ChildProcess, clock: Clock): Promise<"listening" | number> {
  const { promise, resolve, reject } = Promise.withResolvers<"listening" | number>();
  const late = clock.after(START_MS, () => child.kill("SIGKILL"));
  child.once("message", () => resolve("listening"));
  child.once("exit", (code) => resolve(code ?? -1));
  child.once("error", reject);
  return promise.finally(() => late.cancel());
}
