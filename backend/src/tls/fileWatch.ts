import { type FSWatcher, realpathSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock, Timer } from "../platform/clock.ts";

/** Files are written one after the other: when nothing more has happened for so long, they are read. */
const QUIET_MS = 1_000;

/** What watching files needs. */
export interface FileWatchDeps {
  readonly clock: Pick<Clock, "after">;
  /** Something has happened to one of them, and nothing more for a second. */
  readonly onChange: () => void;
  /** The system does not tell of changes there. */
  readonly onDeaf: (directory: string, error: unknown) => void;
}

/**
 * Tells when files may have changed, in whatever way: written, replaced, or a link to them turned. The
 * system tells of it, so nothing is asked for meanwhile. The folders are watched, not the files, because
 * a file that is replaced is another one.
 */
export class FileWatch {
  readonly #paths: readonly string[];
  readonly #deps: FileWatchDeps;
  readonly #watchers = new Map<string, FSWatcher>();
  #quiet: Timer | undefined;

  constructor(paths: readonly string[], deps: FileWatchDeps) {
    this.#paths = paths;
    this.#deps = deps;
    this.renew();
  }

  /** Watches where the files are now; links may lead elsewhere than before. */
  renew(): void {
    const wanted = new Set(this.#paths.flatMap(foldersOf));
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  /** Watches no more. */
  close(): void {
    this.#quiet?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(folder: string): void {
    const names = new Set(this.#paths.flatMap(namesOf));
    const lose = (error: unknown): void => {
      this.#watchers.get(folder)?.close();
      this.#watchers.delete(folder);
      this.#deps.onDeaf(folder, error);
    };
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        // Kubernetes turns a link beside the files, whose name begins with two dots.
        if (name === null || names.has(name) || name.startsWith("..")) this.#note();
      });
      watcher.on("error", lose);
      this.#watchers.set(folder, watcher);
    } catch (error) {
      lose(error);
    }
  }

  #note(): void {
    this.#quiet?.cancel();
    this.#quiet = this.#deps.clock.after(QUIET_MS, () => this.#deps.onChange());
  }
}

/** The folder of a path, and of what it leads to. */
function foldersOf(path: string): string[] {
  return [path, realOf(path)].map((one) => dirname(one));
}

function namesOf(path: string): string[] {
  return [path, realOf(path)].map((one) => basename(one));
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
