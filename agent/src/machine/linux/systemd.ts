import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Changing, placeFile, removeDrafts } from "../placing.ts";
import { must, type Programs } from "../programs.ts";
import type { Self } from "../self.ts";
import { LAST_LINES, type Service } from "../supervisor.ts";
import { renderUnit, UNIT_MARK, type Unit } from "./unit.ts";

/** The systemd unit of a system-wide installation. */
export const UNIT_NAME = "rport.service";
/** Directories that the service does not see: see `ProtectHome` and `PrivateTmp` in the unit. */
const HIDDEN = /^\/(home|root|run\/user|tmp|var\/tmp)\//;
const UNIT_DIRECTORY = "/etc/systemd/system";

/** Whether systemd runs this machine, whatever else is installed on it. */
export function isSystemdRunning(root = "/"): boolean {
  return existsSync(join(root, "run/systemd/system"));
}

/** The unit that it shall be, by the configuration of the moment and the `LogsDirectory`s so far. */
export type UnitFor = (logsDirectories: readonly string[]) => Promise<Unit>;

/** What a service of systemd is made of. */
export interface SystemdDeps {
  readonly programs: Programs;
  readonly self: Self;
  readonly unit: UnitFor;
}

/** The agent as a service of systemd. */
export class SystemdService implements Service {
  readonly title = `the service ${UNIT_NAME}`;
  readonly #programs: Programs;
  readonly #self: Self;
  readonly #unit: UnitFor;
  readonly #file: string;

  /** `root` is for tests. */
  constructor({ programs, self, unit }: SystemdDeps, root = "/") {
    this.#programs = programs;
    this.#self = self;
    this.#unit = unit;
    this.#file = join(root, UNIT_DIRECTORY, UNIT_NAME);
  }

  async account(): Promise<string | undefined> {
    const text = (await this.isInstalled()) ? await this.#readUnit() : undefined;
    return /^User=([a-z_][a-z0-9_-]{0,30})$/m.exec(text ?? "")?.[1];
  }

  obstacle(): string | undefined {
    const self = this.#self;
    if (self.kind === "executable" || !HIDDEN.test(self.node)) return undefined;
    return `A service cannot use ${self.node}. Install Node for all users.`;
  }

  async isInstalled(): Promise<boolean> {
    return (await this.#readUnit())?.startsWith(UNIT_MARK) === true;
  }

  async isCurrent(): Promise<boolean> {
    if ((await this.#readUnit()) !== (await this.#wanted())) return false;
    return this.#isEnabled();
  }

  async isForeign(): Promise<boolean> {
    if (await this.isInstalled()) return false;
    return !["not-found", ""].includes(await this.#show("LoadState"));
  }

  async isRunning(): Promise<boolean> {
    return ["active", "activating", "reloading"].includes(await this.#show("ActiveState"));
  }

  async install(changing: Changing): Promise<void> {
    const { undo } = changing;
    undo.add("reload systemd", () => this.#reload());
    const from = { text: await this.#wanted() };
    await placeFile({ path: this.#file, from, access: { mode: 0o644 } }, changing);
    await this.#must("daemon-reload");
    if (await this.#isEnabled()) return;
    undo.add(`disable ${UNIT_NAME}`, () => this.#must("--quiet", "disable", UNIT_NAME));
    await this.#must("--quiet", "enable", UNIT_NAME);
  }

  start(): Promise<void> {
    return this.#must("restart", UNIT_NAME);
  }

  async stop(): Promise<void> {
    if ((await this.#show("LoadState")) === "loaded") await this.#must("stop", UNIT_NAME);
  }

  async remove(): Promise<void> {
    if (!(await this.isInstalled())) return;
    await this.#must("--quiet", "disable", "--now", UNIT_NAME);
    await rm(this.#file, { force: true });
    await removeDrafts(this.#file);
    await this.#reload();
  }

  async lastLines(): Promise<readonly string[]> {
    const args = ["--no-pager", "--output=cat", `--unit=${UNIT_NAME}`, `--lines=${LAST_LINES}`];
    const { stdout } = await this.#programs.run("journalctl", args);
    return stdout.split("\n").filter((line) => line !== "");
  }

  /** A unit that failed and is gone would stay in the list of failed ones. */
  async #reload(): Promise<void> {
    await this.#must("daemon-reload");
    await this.#systemctl("reset-failed", UNIT_NAME);
  }

  async #wanted(): Promise<string> {
    const names = /^LogsDirectory=(.*)$/gm;
    const installed = (await this.isInstalled()) ? ((await this.#readUnit()) ?? "") : "";
    const made = [...installed.matchAll(names)].map(([, name = ""]) => name);
    return renderUnit(await this.#unit(made));
  }

  async #readUnit(): Promise<string | undefined> {
    return readFile(this.#file, "utf8").catch(() => undefined);
  }

  async #isEnabled(): Promise<boolean> {
    return (await this.#systemctl("is-enabled", "--quiet", UNIT_NAME)).code === 0;
  }

  async #show(property: string): Promise<string> {
    const args = ["show", `--property=${property}`, UNIT_NAME];
    return (await this.#systemctl(...args)).stdout.trim().replace(`${property}=`, "");
  }

  #systemctl(...args: readonly string[]) {
    return this.#programs.run("systemctl", args);
  }

  async #must(...args: readonly string[]): Promise<void> {
    await must(this.#programs, "systemctl", args);
  }
}
