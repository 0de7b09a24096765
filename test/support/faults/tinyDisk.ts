import { execFileSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDirectory } from "../tempDirectory.ts";

/** A file system of its own, in memory. Unmounted at the end of its scope. */
export interface TinyDisk extends AsyncDisposable {
  readonly path: string;
  /** Takes all the space that is left. */
  fill(): Promise<void>;
  /** Gives it back. */
  empty(): Promise<void>;
}

/** A file system of `kilobytes`; root in a container is often not allowed to have one. */
export async function tinyDisk(kilobytes: number): Promise<TinyDisk> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await tempDirectory());
  mount(path, kilobytes);
  opened.defer(() => void execFileSync("umount", ["-l", path]));
  const ballast = join(path, "ballast.log");
  const closing = opened.move();
  return {
    path,
    fill: () => writeFile(ballast, Buffer.alloc(kilobytes << 10)).catch(() => undefined),
    empty: () => rm(ballast),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Whether this machine lets us have one. */
export async function canHaveTinyDisk(): Promise<boolean> {
  try {
    await using _disk = await tinyDisk(64);
    return true;
  } catch {
    return false;
  }
}

function mount(path: string, kilobytes: number): void {
  const options = ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", path];
  execFileSync("mount", options, { stdio: "pipe" });
}
