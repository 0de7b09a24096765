import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type Clock, sleep } from "../../platform/clock.ts";
import { readEnd } from "../../platform/fileEnd.ts";
import { type Changing, ensureDirectory, isPresent, placeFile, removeDrafts } from "../placing.ts";
import { must, type Programs } from "../programs.ts";
import { LAST_LINES, type Service } from "../supervisor.ts";
import { type Job, PLIST_MARK, renderPlist, userIn } from "./plist.ts";

/** Reading the end of a log never takes more. */
const LOG_TAIL_BYTES = 16 << 10;
/** `bootout` answers before the agent has said its goodbye. */
const GONE_MS = 15_000;
const POLL_MS = 100;

/** What a job of launchd is made of. */
export interface LaunchdDeps {
  readonly programs: Programs;
  readonly clock: Clock;
  readonly job: Job;
  /** Of the plist. */
  readonly file: string;
  /** `system`, or the one of a user: `gui/501`. */
  readonly domain: string;
  /** Sentences about what it does not do. */
  readonly caveats: readonly string[];
  /** Makes the log, for an account that may not. */
  prepare(changing: Changing): Promise<void>;
}

/** The agent as a job of launchd. */
export class LaunchdService implements Service {
  readonly title: string;
  readonly folders: readonly string[];
  readonly #deps: LaunchdDeps;
  readonly #target: string;

  constructor(deps: LaunchdDeps) {
    this.#deps = deps;
    this.title = `the launchd job ${deps.job.label}`;
    this.folders = [dirname(deps.file), dirname(deps.job.logFile)];
    this.#target = `${deps.domain}/${deps.job.label}`;
  }

  async isInstalled(): Promise<boolean> {
    return (await this.#read()).includes(PLIST_MARK);
  }

  async isCurrent(): Promise<boolean> {
    return (await this.#read()) === renderPlist(this.#deps.job) && (await this.#isLoaded());
  }

  async isForeign(): Promise<boolean> {
    return (await isPresent(this.#deps.file)) && !(await this.isInstalled());
  }

  /** RPort's own client has another label, and is left alone. */
  async hasPredecessor(): Promise<boolean> {
    return false;
  }

  async takeOver(): Promise<void> {}

  wayBack(): readonly string[] {
    return [];
  }

  async account(): Promise<string | undefined> {
    const plist = await this.#read();
    return plist.includes(PLIST_MARK) ? userIn(plist) : undefined;
  }

  obstacle(): string | undefined {
    return undefined;
  }

  async allowsTerminals(): Promise<boolean> {
    return false;
  }

  async caveats(): Promise<readonly string[]> {
    return this.#deps.caveats;
  }

  /** A job that is loaded is started again whenever it ends. */
  isRunning(): Promise<boolean> {
    return this.#isLoaded();
  }

  async install(changing: Changing): Promise<void> {
    const { file, job, prepare } = this.#deps;
    if (!(await isPresent(dirname(file)))) {
      await ensureDirectory(dirname(file), { mode: 0o755 }, changing);
    }
    await prepare(changing);
    const from = { text: renderPlist(job) };
    // launchd takes no plist to which others may write.
    await placeFile({ path: file, from, access: { mode: 0o644 } }, changing);
  }

  async start(): Promise<void> {
    await this.stop();
    await this.#must("enable", this.#target);
    await this.#must("bootstrap", this.#deps.domain, this.#deps.file);
  }

  async stop(): Promise<void> {
    if (!(await this.#isLoaded())) return;
    await this.#must("bootout", this.#target);
    const { clock } = this.#deps;
    const endMs = clock.monotonic() + GONE_MS;
    while (await this.#isLoaded()) {
      if (clock.monotonic() > endMs) throw new Error(`${this.title} does not end`);
      await sleep(clock, POLL_MS);
    }
  }

  async remove(): Promise<void> {
    if (!(await this.isInstalled())) return;
    const { file, job } = this.#deps;
    await this.stop();
    await rm(file, { force: true });
    await removeDrafts(file);
    await rm(job.logFile, { force: true });
  }

  async lastLines(): Promise<readonly string[]> {
    const text = await readEnd(this.#deps.job.logFile, LOG_TAIL_BYTES).catch(() => "");
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.slice(-LAST_LINES);
  }

  #read(): Promise<string> {
    return readFile(this.#deps.file, "utf8").catch(() => "");
  }

  async #isLoaded(): Promise<boolean> {
    const { code } = await this.#deps.programs.run("launchctl", ["print", this.#target]);
    return code === 0;
  }

  async #must(...args: readonly string[]): Promise<void> {
    await must(this.#deps.programs, "launchctl", args);
  }
}
