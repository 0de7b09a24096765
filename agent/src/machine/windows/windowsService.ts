import { rm } from "node:fs/promises";
import { type Clock, sleep } from "../../platform/clock.ts";
import { readEnd } from "../../platform/fileEnd.ts";
import type { Changing } from "../placing.ts";
import { must, type Programs } from "../programs.ts";
import type { Self } from "../self.ts";
import { LAST_LINES, type Service } from "../supervisor.ts";
import { SERVICE_NAME } from "./layouts.ts";
import { previousLog } from "./serviceLog.ts";

const KEY = `HKLM\\SYSTEM\\CurrentControlSet\\Services\\${SERVICE_NAME}`;
const TITLE = "RPort agent";
const DESCRIPTION = "Connects this host to its RPort server.";
/** After a crash it is started again after so many milliseconds, and the count forgotten after a day. */
const RESTARTS = "restart/5000/restart/30000/restart/60000";
const FORGET_S = "86400";
/** Time for the agent's start or goodbye. */
const CHANGE_MS = 30_000;
const POLL_MS = 250;
const LOG_TAIL_BYTES = 16 << 10;
/** An administrator may let it start when they like; disabled it does not start at all. */
const DISABLED = "0x4";

/** The states of services, by the words that `sc` has in every language. */
type State = "STOPPED" | "START_PENDING" | "STOP_PENDING" | "RUNNING";

/** What a service of Windows is made of. */
export interface WindowsServiceParts {
  readonly programs: Programs;
  readonly clock: Clock;
  readonly self: Self;
  /** The program and its arguments; absolute paths. */
  readonly command: readonly [string, ...string[]];
  /** Such as `NT SERVICE\rport`. */
  readonly account: string;
  readonly logFile: string;
}

/** The command line of a service: every word in quotes, which no path of Windows can have in it. */
export function imagePath(command: readonly string[]): string {
  return command.map((word) => (/[\s\\]/.test(word) ? `"${word}"` : word)).join(" ");
}

/** The agent as a service of Windows. It reports to the service manager itself (`ServiceSession`). */
export class WindowsService implements Service {
  readonly title = `the service ${SERVICE_NAME}`;
  readonly folders: readonly string[] = [];
  readonly #parts: WindowsServiceParts;
  readonly #image: string;

  constructor(parts: WindowsServiceParts) {
    this.#parts = parts;
    this.#image = imagePath([...parts.command, "--service"]);
  }

  obstacle(): string | undefined {
    if (this.#parts.self.kind === "executable") return undefined;
    return "A service of Windows needs the agent's executable; Node cannot be one.";
  }

  async isInstalled(): Promise<boolean> {
    return (await this.#value("ImagePath")) === this.#image;
  }

  async isForeign(): Promise<boolean> {
    const image = await this.#value("ImagePath");
    return image !== undefined && image !== this.#image;
  }

  /** RPort's own client has a service of this name as well, and keeps it: it is somebody else's. */
  async hasPredecessor(): Promise<boolean> {
    return false;
  }

  async takeOver(): Promise<void> {
    throw new Error(`${this.title} is not taken over from anybody`);
  }

  wayBack(): readonly string[] {
    return [];
  }

  async allowsTerminals(): Promise<boolean> {
    return false;
  }

  async caveats(): Promise<readonly string[]> {
    return [];
  }

  async isCurrent(): Promise<boolean> {
    return (await this.isInstalled()) && (await this.#value("Start")) !== DISABLED;
  }

  async account(): Promise<string | undefined> {
    return (await this.isInstalled()) ? this.#value("ObjectName") : undefined;
  }

  async isRunning(): Promise<boolean> {
    return ["RUNNING", "START_PENDING"].includes((await this.#state()) ?? "");
  }

  async install({ undo }: Changing): Promise<void> {
    const { account } = this.#parts;
    if (!(await this.isInstalled())) {
      const image = ["binPath=", this.#image, "obj=", account, "DisplayName=", TITLE];
      await this.#sc("create", ...image, "type=", "own", "start=", "delayed-auto");
    } else if ((await this.#value("Start")) === DISABLED) {
      undo.add(`disable ${SERVICE_NAME} again`, () => this.#sc("config", "start=", "disabled"));
      await this.#sc("config", "start=", "delayed-auto");
    }
    await this.#sc("description", DESCRIPTION);
    await this.#sc("failure", "reset=", FORGET_S, "actions=", RESTARTS);
  }

  async start(): Promise<void> {
    await this.stop();
    await this.#sc("start");
    await this.#wait("RUNNING", "START_PENDING");
  }

  async stop(): Promise<void> {
    const state = await this.#state();
    if (state === undefined || state === "STOPPED") return;
    if (state !== "STOP_PENDING") await this.#sc("stop");
    await this.#wait("STOPPED", "STOP_PENDING", "RUNNING");
  }

  async remove(): Promise<void> {
    if (!(await this.isInstalled())) return;
    await this.stop();
    await this.#sc("delete");
    const { logFile } = this.#parts;
    for (const file of [logFile, previousLog(logFile)]) await rm(file, { force: true });
  }

  async lastLines(): Promise<readonly string[]> {
    const text = await readEnd(this.#parts.logFile, LOG_TAIL_BYTES).catch(() => "");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .slice(-LAST_LINES);
  }

  /** Waits until it is in a state, as long as it is in one on the way there. */
  async #wait(wanted: State, ...onTheWay: readonly State[]): Promise<void> {
    const { clock } = this.#parts;
    const endMs = clock.monotonic() + CHANGE_MS;
    for (;;) {
      const state = (await this.#state()) ?? "STOPPED";
      if (state === wanted) return;
      if (!onTheWay.includes(state) || clock.monotonic() > endMs) {
        throw new Error(`${this.title} is ${state} and should be ${wanted}`);
      }
      await sleep(clock, POLL_MS);
    }
  }

  async #state(): Promise<State | undefined> {
    const { code, stdout } = await this.#parts.programs.run("sc.exe", ["query", SERVICE_NAME]);
    if (code !== 0) return undefined;
    const found = /:\s+\d\s+(STOPPED|START_PENDING|STOP_PENDING|RUNNING)/.exec(stdout);
    return found?.[1] as State | undefined;
  }

  /** From the registry, which has no language. Undefined when there is no such service. */
  async #value(name: string): Promise<string | undefined> {
    const { code, stdout } = await this.#parts.programs.run("reg.exe", ["query", KEY, "/v", name]);
    if (code !== 0) return undefined;
    const line = stdout.split(/\r?\n/).find((one) => one.trim().startsWith(`${name} `));
    return line?.replace(/^\s*\S+\s+REG_\S+\s+/, "").trimEnd();
  }

  async #sc(verb: string, ...args: readonly string[]): Promise<void> {
    await must(this.#parts.programs, "sc.exe", [verb, SERVICE_NAME, ...args]);
  }
}
