import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readEnd } from "../../platform/fileEnd.ts";
import type { Account } from "../account.ts";
import { type Changing, ensureDirectory, isPresent, placeFile, removeDrafts } from "../placing.ts";
import { must, type Programs } from "../programs.ts";
import { LAST_LINES, type Service } from "../supervisor.ts";
import { RportClientScript } from "./rportClientScript.ts";
import type { ScriptFacts } from "./scriptFacts.ts";
import { isOpen, UNIT_MARK } from "./unit.ts";

/** The service's name with every service manager that starts scripts of `/etc/init.d`. */
export const SCRIPT_NAME = "rport";
const SCRIPT = `/etc/init.d/${SCRIPT_NAME}`;
const LOGS = "/var/log";
/** The agent's log, and what a rotation has made of it. */
const LOG = /\.log(\.|$)/;
/** Reading the end of a log never takes more. */
const LOG_TAIL_BYTES = 16 << 10;

/** A program and its arguments. */
export type CommandLine = readonly [program: string, ...args: string[]];

/** A service manager that starts scripts, in what it differs from others. */
export interface ScriptManager {
  /** For people, behind the service's name. */
  readonly name: string;
  render(facts: ScriptFacts): string;
  /** Set where it starts the agent without the further groups of its account. */
  readonly dropsGroups?: true;
  /** What people have to know about agents that it keeps up. */
  readonly caveats: readonly string[];
  readonly enable: CommandLine;
  readonly disable: CommandLine;
  isEnabled(): Promise<boolean>;
  readonly restart: CommandLine;
  readonly stop: CommandLine;
  /** Whether an exit status of `status` says that the agent runs. */
  readonly status: CommandLine;
  isUp(code: number): boolean;
}

/** What the script shall say, as the configuration of the moment has it. */
export interface ScriptWanted extends ScriptFacts {
  /** Directories below /var/log that are made for the agent, if its account is there. */
  readonly logsDirectories: readonly string[];
  readonly owner: Account | undefined;
}

/** What a service by a script is made of. */
export interface InitScriptDeps {
  readonly programs: Programs;
  readonly manager: ScriptManager;
  readonly logFile: string;
  /** Why the manager cannot run such an agent, in a sentence. */
  readonly obstacle: string | undefined;
  wanted(): Promise<ScriptWanted>;
}

/** The agent as a service of OpenRC or of the older init, by a script of ours. */
export class InitScript implements Service {
  readonly title: string;
  readonly folders: readonly string[] = [dirname(SCRIPT)];
  readonly #deps: InitScriptDeps;
  readonly #client = new RportClientScript(SCRIPT);

  constructor(deps: InitScriptDeps) {
    this.#deps = deps;
    this.title = `the service ${SCRIPT_NAME} of ${deps.manager.name}`;
  }

  async isInstalled(): Promise<boolean> {
    return (await this.#read())?.split("\n").includes(UNIT_MARK) === true;
  }

  async isCurrent(): Promise<boolean> {
    const { manager, wanted } = this.#deps;
    if ((await this.#read()) !== manager.render(await wanted())) return false;
    return manager.isEnabled();
  }

  async isForeign(): Promise<boolean> {
    return (await this.#isSomebodys()) && !(await this.#client.isThere());
  }

  async hasPredecessor(): Promise<boolean> {
    return (await this.#isSomebodys()) && (await this.#client.isThere());
  }

  async takeOver({ undo }: Changing): Promise<void> {
    await this.stop();
    await this.#client.putAside(undo);
  }

  wayBack(): readonly string[] {
    const { enable, restart } = this.#deps.manager;
    return [this.#client.wayBack(), enable.join(" "), restart.join(" ")];
  }

  async account(): Promise<string | undefined> {
    const text = (await this.isInstalled()) ? await this.#read() : undefined;
    return /^# It runs as ([a-z_][a-z0-9_-]{0,30})\.$/m.exec(text ?? "")?.[1];
  }

  async allowsTerminals(): Promise<boolean> {
    return (await this.isInstalled()) && isOpen((await this.#read()) ?? "");
  }

  obstacle(): string | undefined {
    return this.#deps.obstacle;
  }

  async caveats(): Promise<readonly string[]> {
    return this.#deps.manager.caveats;
  }

  async isRunning(): Promise<boolean> {
    if (!(await isPresent(SCRIPT))) return false;
    const { programs, manager } = this.#deps;
    const [program, ...args] = manager.status;
    return manager.isUp((await programs.run(program, args)).code);
  }

  async install(changing: Changing): Promise<void> {
    const { manager, wanted, logFile } = this.#deps;
    if (!(await isPresent(logFile))) {
      changing.undo.add(`remove ${logFile}`, () => rm(logFile, { force: true }));
    }
    const { logsDirectories, owner, ...facts } = await wanted();
    const path = SCRIPT;
    const from = { text: manager.render(facts) };
    await placeFile({ path, from, access: { mode: 0o755 } }, changing);
    for (const name of logsDirectories) await makeLogs(name, owner, changing);
    if (await manager.isEnabled()) return;
    changing.undo.add(`disable ${SCRIPT_NAME}`, () => this.#disable());
    await this.#must(manager.enable);
  }

  start(): Promise<void> {
    return this.#must(this.#deps.manager.restart);
  }

  async stop(): Promise<void> {
    if (await this.isRunning()) await this.#must(this.#deps.manager.stop);
  }

  async remove(): Promise<void> {
    if (!(await this.isInstalled())) return;
    const { logFile } = this.#deps;
    await this.stop();
    await this.#disable();
    await rm(SCRIPT, { force: true });
    await removeDrafts(SCRIPT);
    await rm(logFile, { force: true });
  }

  async lastLines(): Promise<readonly string[]> {
    const text = await readEnd(this.#deps.logFile, LOG_TAIL_BYTES).catch(() => "");
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.slice(-LAST_LINES);
  }

  async #isSomebodys(): Promise<boolean> {
    return (await isPresent(SCRIPT)) && !(await this.isInstalled());
  }

  async #disable(): Promise<void> {
    const { manager } = this.#deps;
    if (await manager.isEnabled()) await this.#must(manager.disable);
  }

  #read(): Promise<string | undefined> {
    return readFile(SCRIPT, "utf8").catch(() => undefined);
  }

  async #must([program, ...args]: CommandLine): Promise<void> {
    await must(this.#deps.programs, program, args);
  }
}

/** A folder that the configuration names and nobody has made yet. */
async function makeLogs(name: string, owner: Account | undefined, changing: Changing) {
  const folder = join(LOGS, name);
  if (owner === undefined || (await isPresent(folder))) return;
  const owns = (log: string) => LOG.test(log);
  await ensureDirectory(folder, { mode: 0o750, owner: owner.owner, owns }, changing);
}
