import { stat } from "node:fs/promises";
import { join } from "node:path";
import { RportError } from "@rport/protocol/errors";
import type { AgentTargets } from "@rport/protocol/serverStatus";
import { errorText, type Log } from "../platform/log.ts";
import { AddedAgent, type Located } from "./addedAgent.ts";
import type { AgentSources } from "./agentSources.ts";
import { entryOf } from "./manifest.ts";
import { MANIFEST, type Release, readBuilt, releaseOf, type SigningKey } from "./release.ts";
import { SharedFiles } from "./sharedFiles.ts";
import { unpackedPieces } from "./unpackedPieces.ts";

/** A file of a release, ready to be sent. */
export interface AgentFile {
  readonly size: number;
  readonly sha256: string;
  /** Whether a part of it can be asked for; what is unpacked on its way has none. */
  readonly hasParts: boolean;
  /**
   * Its bytes from `start` on, up to `end`, each piece read when the one before was taken. All of them
   * where it has no parts.
   */
  pieces(start: number, end: number): AsyncIterable<Buffer>;
}

/**
 * The files that hosts download when they are paired. Read from a directory that a build makes, and
 * from those of executables that were installed beside it; a build made while the server runs is taken
 * up without a restart.
 */
export class AgentFiles {
  readonly #sources: AgentSources;
  readonly #key: SigningKey;
  readonly #log: Log;
  readonly #shared = new SharedFiles();
  #release: Release | undefined;
  #stamp = "";

  /** `key` is the server's: it signs the manifests. */
  constructor(sources: AgentSources, key: SigningKey, log: Log) {
    this.#sources = sources;
    this.#key = key;
    this.#log = log;
  }

  /** The release, or undefined when there is none or it is damaged. */
  async current(): Promise<Release | undefined> {
    const stamp = await this.#stampNow();
    if (stamp === this.#stamp) return this.#release;
    this.#release = stamp === "" ? undefined : await this.#read();
    this.#stamp = stamp;
    return this.#release;
  }

  /** The release; throws `UNAVAILABLE`, which says how to get it, when there is none. */
  async require(): Promise<Release> {
    const release = await this.current();
    if (release !== undefined) return release;
    throw new RportError(
      "UNAVAILABLE",
      "The agent's files are not there, so there is nothing to install on a host.",
      { detail: this.#sources.toBuild },
    );
  }

  /** SHA-256 of the installer script read last, 64 hexadecimal digits; empty before the first. */
  get scriptSha256(): string {
    return this.#release?.manifest.scripts.sh.sha256 ?? "";
  }

  /** The same of the one for PowerShell; undefined where the release has nothing for Windows. */
  get powershellSha256(): string | undefined {
    return this.#release?.manifest.scripts.ps1?.sha256;
  }

  /** Which machines the release read last has an agent for, and which it could have. */
  get targets(): AgentTargets {
    return this.#release?.targets ?? { available: [], missing: [] };
  }

  /** One file, only by a name that stands in the manifest of that version. */
  async find(version: string, name: string): Promise<AgentFile | undefined> {
    const release = await this.current();
    if (release?.manifest.version !== version) return undefined;
    const located = this.#locate(release, name);
    if (located === undefined) return undefined;
    const { entry, path, isPacked } = located;
    const { size: found } = await stat(path);
    if (!isPacked && found !== entry.size) {
      throw new Error(`${entry.name} is not the file of the manifest`);
    }
    const shared = { path, key: this.#stamp };
    return {
      size: entry.size,
      sha256: entry.sha256,
      hasParts: !isPacked,
      pieces: (start, end) =>
        isPacked
          ? unpackedPieces(this.#shared.pieces(shared, 0, found), entry.size)
          : this.#shared.pieces(shared, start, end),
    };
  }

  #locate({ manifest, added }: Release, name: string): Located | undefined {
    for (const agent of added) {
      const located = agent.locate(name);
      if (located !== undefined) return located;
    }
    const entry = entryOf(manifest, name);
    if (entry === undefined) return undefined;
    return { entry, path: join(this.#sources.directory, entry.name), isPacked: false };
  }

  async #stampNow(): Promise<string> {
    try {
      const { mtimeMs, size, ino } = await stat(join(this.#sources.directory, MANIFEST));
      return `${mtimeMs} ${size} ${ino}`;
    } catch {
      return "";
    }
  }

  async #read(): Promise<Release | undefined> {
    const { directory } = this.#sources;
    try {
      const built = await readBuilt(directory);
      const added = await this.#added(built.manifest);
      const release = releaseOf(built, added, this.#key);
      this.#tellMissing(release.targets);
      return release;
    } catch (error) {
      const reason = errorText(error);
      this.#log.warn("the agent's files cannot be used", { directory, reason });
      return undefined;
    }
  }

  /** What was added for targets that the release itself has not, and is of its version and whole. */
  async #added({ version, missing }: Release["manifest"]): Promise<AddedAgent[]> {
    const found: AddedAgent[] = [];
    for (const target of missing) {
      const agent = await this.#addedFor(target, version);
      if (agent !== undefined) found.push(agent);
    }
    return found;
  }

  async #addedFor(target: string, wanted: string): Promise<AddedAgent | undefined> {
    const directory = this.#sources.added(target);
    if (directory === undefined) return undefined;
    try {
      const agent = await AddedAgent.read(directory, target);
      const { version } = agent;
      if (version !== wanted) {
        const facts = { target, version, wanted, directory };
        this.#log.warn("an agent of another version than the server's is not offered", facts);
        return undefined;
      }
      await agent.verify();
      return agent;
    } catch (error) {
      const facts = { target, directory, reason: errorText(error) };
      this.#log.warn("an agent that was added cannot be used", facts);
      return undefined;
    }
  }

  #tellMissing({ missing }: AgentTargets): void {
    if (missing.length === 0) return;
    this.#log.warn("there is no agent for some machines; they are not offered", {
      missing: missing.join(" "),
      to_add: this.#sources.toAdd,
    });
  }
}
