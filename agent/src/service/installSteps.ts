import { link, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { hostKeyFileIn } from "../host/hostKey.ts";
import type { Account } from "../machine/account.ts";
import {
  type Changing,
  ensureDirectory,
  giveFile,
  isPresent,
  placeFile,
} from "../machine/placing.ts";
import { PREDECESSOR, type Service, type Supervisor } from "../machine/supervisor.ts";
import type { Undo } from "../machine/undo.ts";
import { isOwnName } from "../state/ownFiles.ts";
import { stateFileIn } from "../state/stateFile.ts";
import { assertRoom } from "./assertRoom.ts";
import type { Change, InstallStep } from "./change.ts";
import { type KeptConfig, readKeptConfig } from "./keptConfig.ts";
import { keepHostKey } from "./keptHostKey.ts";
import { makePrefix } from "./makePrefix.ts";
import { configTitle, configured, isToldToConfig } from "./terminals.ts";
import { assertOwnPrefix } from "./trustedWay.ts";
import { whyNotConnected } from "./waitConnected.ts";

/** How long a started agent may take to connect: the first one of a host, and a newer one. */
const FIRST_ONLINE_MS = 30_000;
const UPDATE_ONLINE_MS = 60_000;

/** The changes in their order; each relies on those before it. */
export function installSteps(change: Change): readonly InstallStep[] {
  return new Steps(change).all();
}

class Steps {
  readonly #change: Change;
  #account: Account | undefined;
  #config: string | undefined;
  /** Whether the agent that ran before has been stopped, and is to be started if all this fails. */
  #wasStopped = false;

  constructor(change: Change) {
    this.#change = change;
  }

  all(): readonly InstallStep[] {
    const { place, found, isEnrolled, isStarted, predecessor, terminals } = this.#change;
    const { layout, user } = place;
    const { title } = this.#supervisor();
    const steps: (InstallStep | undefined)[] = [
      user === undefined ? undefined : this.#accountStep(user),
      {
        title: `make what is missing of ${this.#directories().join(", ")}`,
        run: (undo) => this.#makeRoom(undo),
      },
      found.isProgramCurrent
        ? undefined
        : { title: `write ${layout.program}`, run: (undo) => this.#placeProgram(undo) },
      { title: `see that ${layout.program} starts`, run: () => this.#tryProgram() },
      isEnrolled ? { title: "enrol this host at the server", run: () => this.#enrol() } : undefined,
      predecessor && {
        title: "stop RPort's own client, and keep its service and rport.conf aside",
        run: (undo) => this.#takeOver(predecessor, undo),
      },
      isEnrolled
        ? { title: `write ${layout.config}`, run: (undo) => this.#placeConfig(undo) }
        : { title: configTitle(layout.config, terminals), run: (undo) => this.#keepConfig(undo) },
      { title: `set up ${title}`, run: (undo) => this.#setUp(undo) },
      isStarted
        ? {
            title: `start ${title} and wait until it is connected`,
            isStart: true as const,
            run: (undo) => this.#start(undo),
          }
        : undefined,
    ];
    return steps.filter((step) => step !== undefined);
  }

  #changing(undo: Undo): Changing {
    return { undo, rights: this.#change.installing.rights };
  }

  #supervisor(): Supervisor {
    return this.#change.supervisor(this.#account);
  }

  #accountStep(user: string): InstallStep {
    const { place, installing } = this.#change;
    if (place.allowsTerminals === true) {
      const run = async () => {
        this.#account = await installing.accounts.find(user);
        if (this.#account === undefined) throw new CliFailure(EXIT.failed, `${user} is gone.`);
      };
      return { title: `let the agent run as ${user}, and terminals with it`, run };
    }
    return {
      title: `make the system user ${user} unless there is one`,
      run: async (undo) => {
        this.#account = await installing.accounts.ensure(user, undo);
      },
    };
  }

  #directories(): readonly string[] {
    const { layout, self } = this.#change.place;
    const files = self.kind === "bundle" ? [layout.program, layout.bundle] : [layout.program];
    return [...files.map(dirname), dirname(layout.config), layout.dataDir];
  }

  async #makeRoom(undo: Undo): Promise<void> {
    const { layout, self } = this.#change.place;
    const supervisor = this.#supervisor();
    // Added before all other files are changed, hence done when they have been restored.
    if (await supervisor.isRunning()) {
      undo.add("start it again", async () => {
        if (this.#wasStopped) await supervisor.start();
      });
    }
    if (layout.receipt !== undefined) {
      await makePrefix(layout.receipt, this.#change, this.#changing(undo));
    }
    await this.#makeMissing(dirname(layout.program), undo);
    if (self.kind === "bundle") await this.#makeMissing(dirname(layout.bundle), undo);
    const account = this.#account;
    if (account !== undefined) {
      // The agent replaces its configuration when it gets a new secret, hence may write there;
      // its group may be one that it shares with people, hence may not.
      const owns = (name: string) => isBesideConfig(layout.config, name);
      const access = { mode: 0o700, owner: account.owner, owns };
      await ensureDirectory(dirname(layout.config), access, this.#changing(undo));
    }
    const owner = account === undefined ? {} : { owner: account.owner };
    const owns = (name: string) => isOwnName(layout.dataDir, name);
    await ensureDirectory(layout.dataDir, { mode: 0o700, owns, ...owner }, this.#changing(undo));
    // What was missing before could be another account's by now, in a folder like /tmp.
    await assertOwnPrefix(layout, this.#change.installing);
    if (account !== undefined) {
      await keepHostKey(layout.dataDir, account.owner, this.#changing(undo));
    }
  }

  async #makeMissing(directory: string, undo: Undo): Promise<void> {
    if (await isPresent(directory)) return;
    await ensureDirectory(directory, { mode: 0o755 }, this.#changing(undo));
  }

  async #placeProgram(undo: Undo): Promise<void> {
    const { place, installing } = this.#change;
    const { layout, self } = place;
    const changing = this.#changing(undo);
    const from = { file: self.file };
    if (installing.locksPrograms) await this.#supervisor().stop();
    if (self.kind === "executable") {
      await placeFile({ path: layout.program, from, access: { mode: 0o755 } }, changing);
      return;
    }
    await placeFile({ path: layout.bundle, from, access: { mode: 0o644 } }, changing);
    const wrapper = { text: installing.wrapper.render(layout, self.node) };
    await placeFile({ path: layout.program, from: wrapper, access: { mode: 0o755 } }, changing);
  }

  /** A file system may forbid programs; then an agent that was started once is all there is. */
  async #tryProgram(): Promise<void> {
    const { place, programs } = this.#change;
    const { program } = place.layout;
    const { code, stderr } = await programs.run(program, ["--version"]);
    if (code === 0) return;
    const why = stderr.trim().slice(0, 300) || "Perhaps its file system forbids programs (noexec).";
    throw new CliFailure(EXIT.unsupported, `${program} cannot be started. ${why}`);
  }

  /** What can be known to go wrong behind it has been tried by now: a token is spent only once. */
  async #enrol(): Promise<void> {
    for (const folder of this.#written()) await assertRoom(folder);
    const isThere = await isPresent(this.#change.place.layout.config);
    const kept = isThere ? await this.#readKept(undefined) : undefined;
    this.#config = await this.#change.enrol(kept?.text);
    this.#tellDropped(kept);
  }

  async #placeConfig(undo: Undo): Promise<void> {
    const config = this.#config;
    if (config === undefined) throw new Error("there is no configuration to write");
    await this.#writeConfig(configured(config, this.#change.terminals), undo);
    if (this.#change.isNewId) await this.#dropHostKey(undo);
  }

  async #writeConfig(text: string, undo: Undo): Promise<void> {
    const owner = this.#account === undefined ? {} : { owner: this.#account.owner };
    const access = { mode: 0o600, ...owner };
    const path = this.#change.place.layout.config;
    await placeFile({ path, from: { text }, access }, this.#changing(undo));
  }

  /** Where something is still to be written once the token is spent. */
  #written(): readonly string[] {
    const { layout } = this.#change.place;
    return [...new Set([dirname(layout.config), layout.dataDir, ...this.#supervisor().folders])];
  }

  async #takeOver(predecessor: Pick<Service, "takeOver">, undo: Undo): Promise<void> {
    const { config } = this.#change.place.layout;
    this.#wasStopped = true;
    await predecessor.takeOver(this.#changing(undo));
    if (!(await isPresent(config))) return;
    const aside = `${config}${PREDECESSOR}`;
    await rm(aside, { force: true });
    undo.add(`remove ${aside}`, () => rm(aside, { force: true }));
    // The same file under a second name: it goes on being whose it was.
    await link(config, aside);
  }

  /** The agent makes another one at its next start. */
  async #dropHostKey(undo: Undo): Promise<void> {
    const file = hostKeyFileIn(this.#change.place.layout.dataDir);
    if (!(await isPresent(file))) return;
    const aside = `${file}.previous`;
    await rename(file, aside);
    undo.keep(() => rm(aside, { force: true }));
    undo.add(`restore ${file}`, () => rename(aside, file));
  }

  async #keepConfig(undo: Undo): Promise<void> {
    const { place, terminals, isStarted, server } = this.#change;
    if (this.#account === undefined && !isToldToConfig(terminals)) return;
    const { isOwn, text } = await this.#readKept(server);
    if (!isOwn || configured(text, terminals) !== text) {
      // An agent that runs could write its next secret meanwhile.
      this.#wasStopped = isStarted;
      if (isStarted) await this.#supervisor().stop();
      const kept = await this.#readKept(server);
      await this.#writeConfig(configured(kept.text, terminals), undo);
      this.#tellDropped(kept);
      return;
    }
    if (this.#account === undefined) return;
    const access = { mode: 0o600, owner: this.#account.owner };
    await giveFile(place.layout.config, access, this.#changing(undo));
  }

  #readKept(server: string | undefined): Promise<KeptConfig> {
    return readKeptConfig(this.#change.place.layout, this.#account?.owner, server);
  }

  /** Whoever moves the agent to another account may have written some of it. */
  #tellDropped(kept: KeptConfig | undefined): void {
    if (kept === undefined || kept.dropped.length === 0) return;
    const { config } = this.#change.place.layout;
    this.#change.say(
      `Another account wrote ${config}. Left out of it: ${kept.dropped.join(", ")}.`,
    );
  }

  async #setUp(undo: Undo): Promise<void> {
    const supervisor = this.#supervisor();
    const isNew = !(await supervisor.isInstalled());
    if (isNew) undo.add(`remove ${supervisor.title}`, () => supervisor.remove());
    await supervisor.install(this.#changing(undo));
  }

  async #start(undo: Undo): Promise<void> {
    const supervisor = this.#supervisor();
    const { place, found, clock, signal } = this.#change;
    const { layout } = place;
    this.#wasStopped = true;
    // The folder may have been somebody's before, and stay.
    for (const file of [stateFileIn(layout.dataDir), hostKeyFileIn(layout.dataDir)]) {
      if (await isPresent(file)) continue;
      undo.add(`remove ${file}`, () => rm(file, { force: true }));
    }
    await supervisor.stop();
    await rm(stateFileIn(layout.dataDir), { force: true });
    undo.add(`stop ${supervisor.title}`, () => supervisor.stop());
    // Once it has connected it is too late: a host that comes again without its key is taken for another.
    if (signal.aborted) throw new CliFailure(EXIT.failed, "Interrupted.");
    await supervisor.start();
    const limitMs = found.hasProgram ? UPDATE_ONLINE_MS : FIRST_ONLINE_MS;
    const trouble = await whyNotConnected({ layout, supervisor, clock, limitMs, signal });
    if (trouble === undefined) return;
    const lines = (await supervisor.lastLines()).map((line) => `\n  ${line}`).join("");
    const said = lines === "" ? "" : `\nIts last lines:${lines}`;
    throw new CliFailure(EXIT.offline, `The agent did not connect: ${trouble}${said}`);
  }
}

/** The configuration, and what is put beside it: its draft, the one before, and what the agent writes first. */
function isBesideConfig(config: string, name: string): boolean {
  return `${name}.`.startsWith(`${basename(config)}.`);
}
