import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { basename } from "node:path";
import { systemCode } from "../support/describeError.ts";
import { writeWhole } from "../support/wholeFile.ts";
import { ensureOwnFolder } from "../tunnels/sharing/ownFolder.ts";
import { aliasesIn, type ConfigText, configText, unknownText } from "./config/configText.ts";
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

  /** Where it was told what there is to take away, whatever the settings say now; undefined: nowhere. */
  get told(): Places | undefined {
    const { launcher, configFile } = this.#deps;
    try {
      return placesOf(launcher.storage, this.included?.config ?? configFile());
    } catch {
      // of a place where it could not be told
      return undefined;
    }
  }

  /**
   * Puts our line into somebody's configuration, after taking what there is out of the one before. Throws a sentence
   * with that line when it cannot; what could not be taken out of the one before stays there, and does nothing.
   */
  async include(): Promise<void> {
    const { places, included: before, told } = this;
    const isSame = before?.config === places.config;
    try {
      if (before !== undefined && told !== undefined && !isSame) await this.#leave(told, before);
    } finally {
      const isMade = await include(places.config, places.line);
      const wasMade = isSame && before.isMade;
      await this.#deps.memory.set({ config: places.config, isMade: isMade || wasMade });
    }
  }

  /** Writes what `ssh` is told of these hosts, where that is another thing than it was told; the answer is that. */
  async write(hosts: readonly Host[]): Promise<ConfigText> {
    const { folder, hosts: file, unknown, launcher } = this.places;
    const { userOf, launcher: facts } = this.#deps;
    const isWindows = process.platform === "win32";
    await ensureOwnFolder(folder);
    await keep(launcher, isWindows ? batchLauncher(facts) : shellLauncher(facts));
    const told = configText({ names: nameHosts(hosts), userOf, launcher });
    await keep(file, told.text);
    await keep(unknown, unknownText(launcher));
    return told;
  }

  /** The names by which `ssh` is told of a host, the plainest first, once it is, and of whom it is signed in there as. */
  async aliasesOf(handle: string): Promise<readonly string[]> {
    const text = await textOf(this.places.hosts);
    return text === undefined ? [] : aliasesIn(text, handle, this.#deps.userOf(handle));
  }

  /**
   * Takes our files away, and our line, unless another editor of this person has files there. Throws a sentence with
   * that line when it cannot be taken out; the files are gone then, and it does nothing.
   */
  async remove(): Promise<void> {
    const { told, included } = this;
    if (told !== undefined) {
      await this.#removeFiles(told);
      await this.#takeLine(told, included?.isMade ?? false);
    }
    await this.#deps.memory.set(undefined);
  }

  /** Whether there is anything of ours to take away. */
  async isThere(): Promise<boolean> {
    const { told, included } = this;
    if (included !== undefined || told === undefined) return included !== undefined;
    return (await textOf(told.hosts)) !== undefined;
  }

  /** Goes to another place; what lies in the same folder is told from there. */
  async #leave(told: Places, { isMade }: Included): Promise<void> {
    if (told.folder !== this.places.folder) await this.#removeFiles(told);
    await this.#takeLine(told, isMade);
  }

  async #removeFiles({ folder, hosts, unknown, launcher }: Places): Promise<void> {
    for (const file of [hosts, unknown, launcher]) await rm(file, { force: true });
    if ((await filesIn(folder)).length === 0) await rmdir(folder).catch(() => undefined);
  }

  async #takeLine(places: Places, isMade: boolean): Promise<void> {
    const { config, folder, hosts, unknown, line } = places;
    const own = [basename(hosts), basename(unknown)];
    const others = (await filesIn(folder)).filter((name) => !own.includes(name));
    if (!others.some((name) => name.endsWith(ENDING))) await exclude(config, line, isMade);
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
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
