import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Changing, placeFile, removeDrafts } from "../placing.ts";
import { must, type ProgramResult, type Programs } from "../programs.ts";
import { LAST_LINES, type Service } from "../supervisor.ts";
import { RportClientUnit } from "./rportClientUnit.ts";
import { isOpen, UNIT_MARK } from "./unit.ts";

/** Whether systemd runs this machine, whatever else is installed on it. */
export function isSystemdRunning(root = "/"): boolean {
  return existsSync(join(root, "run/systemd/system"));
}

/** In what services of the machine and of a user differ. */
export interface SystemdKind {
  readonly programs: Programs;
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Where the unit is. */
  readonly file: string;
  /** The words before those that say what to do: `systemctl`, perhaps for a user. */
  readonly systemctl: readonly [string, ...string[]];
  /** The words that show the newest lines of its log. */
  readonly journal: readonly [string, ...string[]];
  /** The unit that it shall be; `installed` is the one of ours that is there, or empty. */
  wanted(installed: string): Promise<string>;
  /** What has to be there before the unit is. */
  prepare(changing: Changing): Promise<void>;
  /** What of that goes when the unit, whose text this is, is gone. */
  tidy(installed: string): Promise<void>;
  obstacle(): string | undefined;
  caveats(): Promise<readonly string[]>;
}

/** The agent as a service of systemd. */
export class SystemdService implements Service {
  readonly title: string;
  readonly folders: readonly string[];
  readonly #kind: SystemdKind;
  readonly #client: RportClientUnit;

  constructor(kind: SystemdKind) {
    this.title = kind.title;
    this.folders = [dirname(kind.file)];
    this.#kind = kind;
    this.#client = new RportClientUnit({
      file: kind.file,
      name: kind.name,
      systemctl: (...args) => this.#systemctl(...args),
      must: (...args) => this.#must(...args),
    });
  }

  async account(): Promise<string | undefined> {
    return /^User=([a-z_][a-z0-9_-]{0,30})$/m.exec(await this.#installed())?.[1];
  }

  async allowsTerminals(): Promise<boolean> {
    return isOpen(await this.#installed());
  }

  obstacle(): string | undefined {
    return this.#kind.obstacle();
  }

  caveats(): Promise<readonly string[]> {
    return this.#kind.caveats();
  }

  async isInstalled(): Promise<boolean> {
    return (await this.#installed()) !== "";
  }

  async isCurrent(): Promise<boolean> {
    const installed = await this.#installed();
    if (installed === "" || installed !== (await this.#kind.wanted(installed))) return false;
    return this.#isEnabled();
  }

  async isForeign(): Promise<boolean> {
    return (await this.#isSomebodys()) && !(await this.#client.isThere());
  }

  async hasPredecessor(): Promise<boolean> {
    return (await this.#isSomebodys()) && (await this.#client.isThere());
  }

  takeOver(changing: Changing): Promise<void> {
    return this.#client.takeOver(changing.undo);
  }

  wayBack(): readonly string[] {
    return this.#client.wayBack();
  }

  async isRunning(): Promise<boolean> {
    return ["active", "activating", "reloading"].includes(await this.#show("ActiveState"));
  }

  async install(changing: Changing): Promise<void> {
    const { undo } = changing;
    const { file, name } = this.#kind;
    undo.add("reload systemd", () => this.#reload());
    await this.#kind.prepare(changing);
    const from = { text: await this.#kind.wanted(await this.#installed()) };
    await placeFile({ path: file, from, access: { mode: 0o644 } }, changing);
    await this.#must("daemon-reload");
    if (await this.#isEnabled()) return;
    undo.add(`disable ${name}`, async () => {
      await this.#must("--quiet", "disable", name);
    });
    await this.#must("--quiet", "enable", name);
  }

  async start(): Promise<void> {
    await this.#must("restart", this.#kind.name);
  }

  async stop(): Promise<void> {
    if ((await this.#show("LoadState")) === "loaded") await this.#must("stop", this.#kind.name);
  }

  async remove(): Promise<void> {
    const installed = await this.#installed();
    if (installed === "") return;
    const { file, name } = this.#kind;
    await this.#must("--quiet", "disable", "--now", name);
    await rm(file, { force: true });
    await removeDrafts(file);
    await this.#reload();
    await this.#kind.tidy(installed);
  }

  async lastLines(): Promise<readonly string[]> {
    const [program, ...args] = this.#kind.journal;
    const options = ["--no-pager", "--output=cat", `--lines=${LAST_LINES}`];
    const { stdout } = await this.#kind.programs.run(program, [...args, ...options]);
    return stdout.split("\n").filter((line) => line !== "");
  }

  /** A unit that failed and is gone would stay in the list of failed ones. */
  async #reload(): Promise<void> {
    await this.#must("daemon-reload");
    await this.#systemctl("reset-failed", this.#kind.name);
  }

  /** A unit of this name that is not ours. */
  async #isSomebodys(): Promise<boolean> {
    if (await this.isInstalled()) return false;
    return (await this.#show("LoadState")) !== "not-found";
  }

  /** The text of the unit, if it is ours; else empty. */
  async #installed(): Promise<string> {
    const text = await readFile(this.#kind.file, "utf8").catch(() => "");
    return text.startsWith(UNIT_MARK) ? text : "";
  }

  async #isEnabled(): Promise<boolean> {
    return (await this.#systemctl("is-enabled", "--quiet", this.#kind.name)).code === 0;
  }

  async #show(property: string): Promise<string> {
    const shown = await this.#must("show", `--property=${property}`, this.#kind.name);
    return shown.trim().replace(`${property}=`, "");
  }

  #systemctl(...args: readonly string[]): Promise<ProgramResult> {
    const [program, ...words] = this.#kind.systemctl;
    return this.#kind.programs.run(program, [...words, ...args]);
  }

  #must(...args: readonly string[]): Promise<string> {
    const [program, ...words] = this.#kind.systemctl;
    return must(this.#kind.programs, program, [...words, ...args]);
  }
}
