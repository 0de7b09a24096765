import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { describeError, systemCode } from "../../support/describeError.ts";
import type { Log } from "../../support/log.ts";
import { Turns } from "../../support/turns.ts";
import { writeWhole } from "../../support/wholeFile.ts";
import { type LastRecord, parseRecord } from "./record.ts";

const FOLDER = "rows";
/** Two hundred rows have 60 KB, and never more than this; what is larger was not written by us. */
const FILE_MAX_BYTES = 1024 * 1024;

/** What is kept of the rows of each server. Nothing of it throws: what fails is logged. */
export interface LastFolder {
  read(serverKey: string): Promise<LastRecord | undefined>;
  write(record: LastRecord): Promise<void>;
  /** Nobody will read it again. */
  forget(serverKey: string): Promise<void>;
  /** Forgets all servers but these. */
  keepOnly(serverKeys: readonly string[]): Promise<void>;
}

/** A folder of this person with a file for each server, so that windows do not write over each other's servers. */
export class LastFiles implements LastFolder {
  readonly #path: string;
  readonly #log: Log;
  readonly #turns = new Turns();

  /** @param storage the folder that the editor keeps for the extension */
  constructor(storage: string, log: Log) {
    this.#path = join(storage, FOLDER);
    this.#log = log;
  }

  read(serverKey: string): Promise<LastRecord | undefined> {
    return this.#inTurn("read", async () => {
      const text = await readSmallFile(this.#fileOf(serverKey), FILE_MAX_BYTES);
      return parseRecord(text, serverKey);
    });
  }

  async write(record: LastRecord): Promise<void> {
    const path = this.#fileOf(record.serverKey);
    await this.#inTurn("written", () => writeWhole(path, JSON.stringify(record)));
  }

  async forget(serverKey: string): Promise<void> {
    await this.#inTurn("removed", () => rm(this.#fileOf(serverKey), { force: true }));
  }

  async keepOnly(serverKeys: readonly string[]): Promise<void> {
    const kept = new Set(serverKeys.map(nameOf));
    await this.#inTurn("removed", async () => {
      for (const name of await readdir(this.#path)) {
        if (!kept.has(name)) await rm(join(this.#path, name), { force: true });
      }
    });
  }

  #fileOf(serverKey: string): string {
    return join(this.#path, nameOf(serverKey));
  }

  /** One after the other, so that what is forgotten is not written by what was begun before. */
  #inTurn<T>(what: string, run: () => Promise<T>): Promise<T | undefined> {
    return this.#turns.run(run).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return undefined;
      this.#log.warn(`the rows of last time cannot be ${what}`, { why: describeError(error) });
      return undefined;
    });
  }
}

/** An address has characters that a file's name cannot have. */
function nameOf(serverKey: string): string {
  return `${createHash("sha256").update(serverKey).digest("hex").slice(0, 32)}.json`;
}
