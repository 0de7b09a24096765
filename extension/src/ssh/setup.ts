import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { systemCode } from "../support/describeError.ts";
import { writeWhole } from "../support/wholeFile.ts";
import { ensureOwnFolder } from "../tunnels/sharing/ownFolder.ts";
import { configText, tellsOf } from "./config/configText.ts";
import { batchLauncher, type LauncherFacts, shellLauncher } from "./config/launcherText.ts";
import { ENDING, type Places, placesOf } from "./config/places.ts";
import { exclude, include, includes } from "./config/userConfig.ts";
import { type Host, nameHosts } from "./hosts.ts";

/** Which configuration of somebody's was changed. */
export interface Included {
  readonly config: string;
  /** Whether there was none before. */
  readonly isMade: boolean;
}

/** What telling `ssh` of hosts needs. */
export interface SetupDeps {
  readonly launcher: LauncherFacts;
  /** The full path of another configuration than the usual one, or empty. */
  readonly configFile: () => string;
  /** Whom somebody signs in as, by a host's handle; undefined: as `ssh` decides. */
  readonly userOf: (handle: string) => string | undefined;
  /** What lasts, for all windows. */
  readonly memory: {
    readonly get: () => Included | undefined;
    readonly set: (included: Included | undefined) => PromiseLike<void>;
  };
}

/** Tells `ssh` of hosts, in files of our own, and in one line of somebody's configuration. */
export class SshSetup {
  readonly #deps: SetupDeps;

  constructor(deps: SetupDeps) {
    this.#deps = deps;
  }

  /** Where everything lies. Throws `BAD_REQUEST` where `ssh` could not be told. */
  get places(): Places {
    return placesOf(this.#deps.launcher.storage, this.#deps.configFile());
  }

  /** Whether somebody's configuration has our line. */
  async isIncluded(): Promise<boolean> {
    const { config, line } = this.places;
    return includes(config, line);
  }

  /** Which configuration was changed; undefined: none is, or not by us. */
  get included(): Included | undefined {
    return this.#deps.memory.get();
  }

  /** Puts our line into somebody's configuration. Throws a sentence with that line when it cannot. */
  async include(): Promise<void> {
    const { config, line } = this.places;
    const before = this.included;
    if (before !== undefined && before.config !== config) await this.remove();
    const isMade = await include(config, line);
    const wasMade = before?.config === config && before.isMade;
    await this.#deps.memory.set({ config, isMade: isMade || wasMade });
  }

  /** Writes what `ssh` is told of these hosts, where that is another thing than it was told. */
  async write(hosts: readonly Host[]): Promise<void> {
    const { folder, hosts: file, launcher } = this.places;
    const { userOf, launcher: facts } = this.#deps;
    const isWindows = process.platform === "win32";
    await ensureOwnFolder(folder);
    await keep(launcher, isWindows ? batchLauncher(facts) : shellLauncher(facts));
    await keep(file, configText({ names: nameHosts(hosts), userOf, launcher }));
  }

  /** Whether `ssh` is told of a host, and of whom it is signed in there as. */
  async knows(handle: string): Promise<boolean> {
    const text = await textOf(this.places.hosts);
    return text !== undefined && tellsOf(text, handle, this.#deps.userOf(handle));
  }

  /**
   * Takes our files away, and our line, unless another editor of this person has files there. Throws a sentence with
   * that line when it cannot be taken out; the files are gone then, and it does nothing.
   */
  async remove(): Promise<void> {
    const { launcher, configFile } = this.#deps;
    const { config: changed, isMade = false } = this.included ?? {};
    const {
      config,
      folder,
      hosts,
      launcher: script,
      line,
    } = placesOf(launcher.storage, changed ?? configFile());
    await rm(hosts, { force: true });
    await rm(script, { force: true });
    const others = await readdir(folder).catch(() => []);
    if (others.length === 0) await rmdir(folder).catch(() => undefined);
    if (!others.some((name) => name.endsWith(ENDING))) await exclude(config, line, isMade);
    await this.#deps.memory.set(undefined);
  }

  /** Whether there is anything of ours to take away. */
  async isThere(): Promise<boolean> {
    return this.included !== undefined || (await textOf(this.places.hosts)) !== undefined;
  }
}

async function keep(path: string, text: string): Promise<void> {
  if ((await textOf(path)) !== text) await writeWhole(path, text);
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
}
