import { lstat, rm } from "node:fs/promises";
import type { Memento } from "vscode";
import { z } from "zod";
import { isUnfinished } from "../../support/wholeFile.ts";

/** Where those of this window are kept. */
const KEY = "recordings.unfinished";
/** Most of them; nobody saves as many at once. */
const MAX = 64;

const pathsSchema = z.array(z.string().max(8_192)).max(MAX);

/**
 * Files that are being written: an editor that is killed leaves one behind, with as much of a recording as it had come to.
 * They are remembered before they are begun, and the next start of this window removes them.
 */
export class UnfinishedFiles {
  readonly #memento: Pick<Memento, "get" | "update">;
  #paths: readonly string[];

  /** @param memento of this window: what others write is theirs */
  constructor(memento: Pick<Memento, "get" | "update">) {
    this.#memento = memento;
    this.#paths = pathsSchema.safeParse(memento.get(KEY)).data ?? [];
  }

  /** This one is about to be begun. */
  async begin(path: string): Promise<void> {
    await this.#keep([...this.#paths, path].slice(-MAX));
  }

  /** It is not there any more. */
  async end(path: string): Promise<void> {
    await this.#keep(this.#paths.filter((each) => each !== path));
  }

  /**
   * Removes those of before, which nobody writes any more. One that is not what was begun, such as a link, and one that
   * cannot be removed, stays; none is tried again.
   */
  async removeLeft(): Promise<void> {
    for (const path of this.#paths) {
      const isFile = await lstat(path).then(
        (stats) => stats.isFile(),
        () => false,
      );
      if (isFile && isUnfinished(path)) await rm(path, { force: true }).catch(() => undefined);
      await this.end(path);
    }
  }

  async #keep(paths: readonly string[]): Promise<void> {
    this.#paths = paths;
    await this.#memento.update(KEY, paths);
  }
}
