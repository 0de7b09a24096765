import { lstat, rm } from "node:fs/promises";
import type { Memento } from "vscode";
import { z } from "zod";
import type { Clock, Timer } from "../../support/clock.ts";
import { describeError } from "../../support/describeError.ts";
import type { Log } from "../../support/log.ts";
import { isUnfinished } from "../../support/wholeFile.ts";

/** Where those of this workspace are kept. */
const KEY = "recordings.unfinished";
/** Most of them; nobody saves as many at once. */
const MAX = 64;
/** One that was written to within this time may be another window's, which goes on with it. */
const QUIET_MS = 60_000;

const pathsSchema = z.array(z.string().max(8_192)).max(MAX);

/** What they are remembered with. */
export interface UnfinishedFilesDeps {
  /** Of the workspace: two windows in a browser may have the same one open. */
  readonly memento: Pick<Memento, "get" | "update">;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Files that are being written: an editor that is killed leaves one behind, with as much of a recording as it had come to.
 * They are remembered before they are begun, and the next start of this window removes them.
 */
export class UnfinishedFiles {
  readonly #deps: UnfinishedFilesDeps;
  /** Those that this window is writing. */
  readonly #own = new Set<string>();
  #again: Timer | undefined;

  constructor(deps: UnfinishedFilesDeps) {
    this.#deps = deps;
  }

  /** This one is about to be begun. Rejects when it cannot be remembered. */
  async begin(path: string): Promise<void> {
    this.#own.add(path);
    await this.#keep([...this.#paths, path].slice(-MAX));
  }

  /** It is not there any more. Where that cannot be remembered, the next start finds nothing to remove. */
  async end(path: string): Promise<void> {
    this.#own.delete(path);
    try {
      await this.#keep(this.#paths.filter((each) => each !== path));
    } catch (error) {
      const why = describeError(error);
      this.#deps.log.warn("a file that was written cannot be forgotten", { why });
    }
  }

  /**
   * Removes those of before, which nobody writes any more. One that was written to a moment ago is looked at once more
   * when that is over, and else left to the next start. One that is not what was begun, such as a link, and one that cannot
   * be removed, stays, and is not tried again. Never rejects.
   */
  async removeLeft(): Promise<void> {
    const isQuiet = await this.#removeQuiet();
    if (!isQuiet) this.#again = this.#deps.clock.after(QUIET_MS, () => void this.#removeQuiet());
  }

  /** Looks at none any more. */
  dispose(): void {
    this.#again?.cancel();
  }

  /** Whether it was all of them. */
  async #removeQuiet(): Promise<boolean> {
    let isAll = true;
    for (const path of this.#paths.filter((each) => !this.#own.has(each))) {
      const stats = await lstat(path).catch(() => undefined);
      const isFile = stats?.isFile() === true && isUnfinished(path);
      const isBusy = isFile && this.#deps.clock.now() - stats.mtimeMs < QUIET_MS;
      if (isFile && !isBusy) await rm(path, { force: true }).catch(() => undefined);
      if (isBusy) isAll = false;
      else await this.end(path);
    }
    return isAll;
  }

  /** As the workspace has them now: other windows write there, too. */
  get #paths(): readonly string[] {
    return pathsSchema.safeParse(this.#deps.memento.get(KEY)).data ?? [];
  }

  async #keep(paths: readonly string[]): Promise<void> {
    await this.#deps.memento.update(KEY, paths);
  }
}
