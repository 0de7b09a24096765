import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { type Clock, sleep } from "../../platform/clock.ts";
import { readEnd } from "../../platform/fileEnd.ts";
import type { Account } from "../account.ts";
import { LAST_LINES, type Supervisor } from "../supervisor.ts";
import { idsOf } from "./rights.ts";

/** Time for the agent's goodbye, before it is killed. */
const STOP_MS = 10_000;
const POLL_MS = 50;
/** Reading the end of a log never takes more. */
const LOG_TAIL_BYTES = 16 << 10;
/** A number and the end of its line. */
const PID_MAX_BYTES = 64;

/** As clean as a service's: nothing of the session that happened to install the agent. */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
  DO_NOT_TRACK: "1",
  BUN_ENABLE_CRASH_REPORTING: "0",
};

/** `run`, `-c` and the file; the words before differ between the executable and Node. */
const RUN_WORDS = 3;

/** How the agent is started without a service. */
export interface BackgroundDeps {
  /** The program and its arguments, at the end `run -c FILE`; by these the process is known. */
  readonly command: readonly [string, ...string[]];
  readonly pidFile: string;
  readonly logFile: string;
  /** Who runs it; undefined for the one who calls. */
  readonly account: Account | undefined;
  readonly clock: Clock;
  /** Whether the command line of a process ends with these words; rejects when it has ended. */
  endsWith(pid: number, words: readonly string[]): Promise<boolean>;
  /** Instead of the environment of a service of Unix. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * The agent as a process in a session of its own, so that it survives the terminal that started
 * it, but not a restart of the machine. A process is ended only when its command line says that it
 * runs this configuration: process ids are used again.
 */
export class BackgroundProcess implements Supervisor {
  readonly title = "the agent's process";
  readonly folders: readonly string[];
  readonly #deps: BackgroundDeps;

  constructor(deps: BackgroundDeps) {
    this.#deps = deps;
    this.folders = [dirname(deps.logFile), dirname(deps.pidFile)];
  }

  async caveats(): Promise<readonly string[]> {
    return ["Nothing starts the agent again when it ends, or when the machine restarts."];
  }

  async isInstalled(): Promise<boolean> {
    return (await this.#pid()) !== undefined;
  }

  async isCurrent(): Promise<boolean> {
    return true;
  }

  async isRunning(): Promise<boolean> {
    const pid = await this.#pid();
    return pid !== undefined && (await this.#isOurs(pid));
  }

  /** There is nothing to set up. */
  async install(): Promise<void> {}

  async start(): Promise<void> {
    await this.stop();
    const { command, pidFile, logFile, account } = this.#deps;
    const [program, ...args] = command;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;
    const log = await open(logFile, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
    try {
      // Before the process, which nobody would find again; and through no link that stands there by now.
      await using note = await open(pidFile, "wx", 0o644);
      const stdio = ["ignore" as const, log.fd, log.fd];
      const ids = account === undefined ? {} : idsOf(account.owner);
      const env = { ...(this.#deps.environment ?? ENVIRONMENT) };
      const options = { detached: true, windowsHide: true, cwd: "/", env, stdio, ...ids };
      const child = spawn(program, args, options);
      await once(child, "spawn");
      child.unref();
      await note.writeFile(`${child.pid}\n`);
    } finally {
      await log.close();
    }
  }

  async stop(): Promise<void> {
    const pid = await this.#pid();
    if (pid !== undefined) await this.#end(pid);
    await rm(this.#deps.pidFile, { force: true });
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#deps.logFile, { force: true });
  }

  async lastLines(): Promise<readonly string[]> {
    const text = await readEnd(this.#deps.logFile, LOG_TAIL_BYTES).catch(() => "");
    const lines = text.split("\n");
    return lines.filter((line) => line !== "").slice(-LAST_LINES);
  }

  async #pid(): Promise<number | undefined> {
    const plain = { followsNoLink: true };
    const text = await readSmallFile(this.#deps.pidFile, PID_MAX_BYTES, plain).catch(() => "");
    const pid = Number(text.trim());
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  }

  async #end(pid: number): Promise<void> {
    const { clock } = this.#deps;
    const endMs = clock.monotonic() + STOP_MS;
    if (await this.#isOurs(pid)) process.kill(pid, "SIGTERM");
    while (await this.#isOurs(pid)) {
      if (clock.monotonic() > endMs) process.kill(pid, "SIGKILL");
      await sleep(clock, POLL_MS);
    }
  }

  #isOurs(pid: number): Promise<boolean> {
    const words = this.#deps.command.slice(-RUN_WORDS);
    return this.#deps.endsWith(pid, words).catch(() => false);
  }
}
