import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDirectory } from "../tempDirectory.ts";

/** What terminals run as `shell` of a host, and the home that it has. */
export interface HomeShell {
  readonly shell: string;
  readonly home: string;
}

/** Writes into a folder what runs a shell of this machine with an empty home in there; both keep their names. */
export async function writeHomeShell(folder: string, real: string): Promise<HomeShell> {
  const home = join(folder, "home");
  await mkdir(home);
  const shell = join(folder, real.slice(real.lastIndexOf("/") + 1));
  await writeFile(shell, `#!/bin/sh\nHOME=${home}\ncd\nexec ${real} "$@"\n`);
  await chmod(shell, 0o755);
  return { shell, home };
}

/**
 * A Bash that every account may run, with an empty home: what the home of whoever runs the tests has a login do takes its
 * time, and leaves its locks behind where a test ends it. Gone at the end of its scope.
 */
export async function bareBash(): Promise<AsyncDisposable & Pick<HomeShell, "shell">> {
  const directory = await tempDirectory();
  await chmod(directory.path, 0o755);
  const { shell } = await writeHomeShell(directory.path, "/bin/bash");
  return { shell, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}
