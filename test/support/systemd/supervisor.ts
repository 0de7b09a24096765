import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { within } from "../within.ts";

/** Each answer takes milliseconds; a script that failed in the middle gives none. */
const ANSWER_DEADLINE_MS = 15_000;

const SCRIPT = fileURLToPath(new URL("supervise.sh", import.meta.url));

/**
 * The process that owns one test system: its mounts, its control group and its init. It ends, and
 * everything with it, when `close` is called and also when the test process dies.
 */
export class Supervisor {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #complaints = "";

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    child.stderr.setEncoding("utf8").on("data", (chunk) => {
      this.#complaints += chunk;
    });
  }

  /** Mounts a fresh copy-on-write view of `rootfs` at `mountPoint`, seen by nobody else. */
  static async start(
    rootfs: string,
    mountPoint: string,
    unshareOptions: readonly string[],
  ): Promise<Supervisor> {
    const args = ["--mount", "sh", SCRIPT, rootfs, mountPoint, ...unshareOptions];
    // A session of its own, so that Ctrl-C in the terminal leaves it alive to clean up.
    const child = spawn("unshare", args, { detached: true });
    const supervisor = new Supervisor(child);
    await supervisor.#expect("ready");
    return supervisor;
  }

  /** Starts init; the number is its process id as this machine counts. */
  async boot(): Promise<number> {
    this.#child.stdin.write("boot\n");
    return Number(await this.#expect("booted "));
  }

  /** Kills init and with it every process of the system. Changes to files are kept. */
  async halt(): Promise<void> {
    this.#child.stdin.write("halt\n");
    await this.#expect("halted");
  }

  /** Ends the system and drops its files. May be called again. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.stdin.end();
    await closed;
  }

  async #expect(start: string): Promise<string> {
    const state = () => `the test system to say "${start}"; it complains: ${this.#complaints}`;
    const line = await within(state, this.#lines.next(), ANSWER_DEADLINE_MS);
    if (line.done !== true && line.value.startsWith(start)) return line.value.slice(start.length);
    const said = line.done === true ? "nothing more" : `"${line.value}"`;
    throw new Error(`the test system says ${said}, not "${start}": ${this.#complaints}`);
  }
}
