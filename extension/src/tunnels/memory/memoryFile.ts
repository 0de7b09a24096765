import { readFile, rename, stat } from "node:fs/promises";
import { describeError, systemCode } from "../../support/describeError.ts";
import type { Log } from "../../support/log.ts";
import { Turns } from "../../support/turns.ts";
import { writeWhole } from "../../support/wholeFile.ts";
import { memoryText, parseMemory, type TunnelRecord } from "./record.ts";

/** A hundred records have 60 KB; what is larger was not written by us. */
const FILE_MAX_BYTES = 1024 * 1024;

/** What lasts of tunnels. Nothing of it throws: what cannot be kept is logged, and tunnels go on. */
export interface TunnelMemory {
  /** All that is remembered, in the order in which it was first opened. */
  read(): Promise<readonly TunnelRecord[]>;
  /** Makes a change to what is remembered by then; changes are made one after the other. */
  change(edit: (records: readonly TunnelRecord[]) => readonly TunnelRecord[]): Promise<void>;
  /** Resolves when the changes so far are written, or are known not to be. */
  written(): Promise<void>;
}

/** Where the memory is, and who is told what is wrong with it. */
export interface MemoryFileDeps {
  readonly path: string;
  readonly log: Log;
}

/**
 * The memory of tunnels as a file of this person. It is replaced as a whole, so nobody reads half of it, also
 * after a crash. One that cannot be read is set aside under another name.
 */
export class MemoryFile implements TunnelMemory {
  readonly #deps: MemoryFileDeps;
  readonly #turns = new Turns();

  constructor(deps: MemoryFileDeps) {
    this.#deps = deps;
  }

  read(): Promise<readonly TunnelRecord[]> {
    return this.#turns.run(async () => (await this.#read()) ?? []);
  }

  async change(edit: (records: readonly TunnelRecord[]) => readonly TunnelRecord[]): Promise<void> {
    await this.#turns.run(async () => {
      const before = await this.#read();
      const after = edit(before ?? []);
      if (before === undefined || after === before) return;
      try {
        await writeWhole(this.#deps.path, memoryText(after));
      } catch (error) {
        this.#deps.log.error("tunnels cannot be remembered", { why: describeError(error) });
      }
    });
  }

  async written(): Promise<void> {
    await this.#turns.ended();
  }

  /** Undefined: there may be something that cannot be read, so nothing is put in its place. */
  async #read(): Promise<readonly TunnelRecord[] | undefined> {
    const { path, log } = this.#deps;
    let text: string;
    try {
      const { size } = await stat(path);
      if (size > FILE_MAX_BYTES) return await this.#setAside(`it has ${size} bytes`);
      text = await readFile(path, "utf8");
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      log.error("remembered tunnels cannot be read", { path, why: describeError(error) });
      return undefined;
    }
    const parsed = parseMemory(text);
    return parsed.kind === "records" ? parsed.records : this.#setAside(parsed.why);
  }

  async #setAside(why: string): Promise<readonly TunnelRecord[] | undefined> {
    const { path, log } = this.#deps;
    const aside = `${path}.broken`;
    try {
      await rename(path, aside);
      log.error("remembered tunnels cannot be read, and are set aside", { path: aside, why });
      return [];
    } catch (error) {
      log.error("remembered tunnels cannot be read", { path, why, also: describeError(error) });
      return undefined;
    }
  }
}
