import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { tempDirectory } from "../support/tempDirectory.ts";

/** The disk of a run. */
const MEGABYTES = 96;
/** One write of what fills it; the last ones are small, so that nothing is left. */
const BALLAST = [1 << 20, 4_096, 512] as const;
/** A frozen disk thaws by itself after this, whatever became of the run. */
const LONGEST_FREEZE_S = 30;

/** What a disk can be made to suffer here. */
export type DiskKind = "image" | "tmpfs" | "folder";

/** Where the server keeps its data. Unmounted and removed at the end of its scope. */
export class ChaosDisk implements AsyncDisposable {
  readonly kind: DiskKind;
  readonly path: string;
  readonly #closing: AsyncDisposableStack;

  private constructor(kind: DiskKind, path: string, closing: AsyncDisposableStack) {
    this.kind = kind;
    this.path = path;
    this.#closing = closing;
  }

  /** A file system of its own, if this machine lets us have one: otherwise a folder. */
  static async make(): Promise<ChaosDisk> {
    await using opened = new AsyncDisposableStack();
    const { path: folder } = opened.use(await tempDirectory());
    const path = join(folder, "disk");
    execFileSync("mkdir", [path]);
    const kind = mountAny(folder, path);
    if (kind !== "folder") opened.defer(() => void execFileSync("umount", ["-l", path]));
    return new ChaosDisk(kind, path, opened.move());
  }

  /** Takes all the space that is left. */
  fill(): void {
    const file = openSync(this.#ballast, "a");
    try {
      for (const bytes of BALLAST) writeUntilFull(file, bytes);
    } finally {
      closeSync(file);
    }
  }

  /** Gives it back. */
  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  /**
   * Nothing can be written for so long. A process of its own thaws the disk, so that it thaws even
   * when this one is killed. Resolves when it is over.
   */
  async freeze(ms: number): Promise<void> {
    const seconds = Math.min(ms / 1_000, LONGEST_FREEZE_S);
    const script = 'fsfreeze -f "$1" && sleep "$2"; fsfreeze -u "$1"';
    const args = ["-c", script, "sh", this.path, String(seconds)];
    const shell = spawn("sh", args, { stdio: "ignore", detached: true });
    await once(shell, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing.disposeAsync();
  }

  get #ballast(): string {
    return join(this.path, "ballast");
  }
}

function mountAny(folder: string, path: string): DiskKind {
  if (works(() => mountImage(join(folder, "image"), path))) return "image";
  const size = `size=${MEGABYTES}m`;
  const mountTmpfs = () => mount("-t", "tmpfs", "-o", size, "tmpfs", path);
  return works(mountTmpfs) ? "tmpfs" : "folder";
}

function mountImage(image: string, path: string): void {
  closeSync(openSync(image, "w"));
  execFileSync("truncate", ["-s", `${MEGABYTES}M`, image], { stdio: "pipe" });
  // -m 0: the server runs as root in tests, to whom a reserve would be space
  execFileSync("mkfs.ext4", ["-q", "-m", "0", image], { stdio: "pipe" });
  mount("-o", "loop", image, path);
}

const mount = (...args: readonly string[]) =>
  void execFileSync("mount", [...args], { stdio: "pipe" });

function works(attempt: () => void): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

function writeUntilFull(file: number, bytes: number): void {
  const chunk = Buffer.alloc(bytes, 0x42);
  while (works(() => void writeSync(file, chunk)));
}
