import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../systemd/process.ts";
import { tempDirectory } from "../tempDirectory.ts";
import type { StubRelease } from "./stubRelease.ts";

/** A well-formed pairing token. */
export const TOKEN = "0123456789ABCDEFGHJKMNPQRS";

/** How the installer is run, where it differs from the usual. */
export interface Invocation {
  readonly shell?: readonly string[];
  readonly input?: string;
  readonly path?: string;
  readonly env?: Record<string, string>;
}

/** Runs the installer of a release with a prefix, a token and further arguments. */
export async function runInstaller(
  release: StubRelease,
  args: readonly string[],
  { shell = ["dash"], input = TOKEN, path = process.env.PATH ?? "", env = {} }: Invocation = {},
) {
  const [program = "", ...options] = shell;
  await using temporary = await tempDirectory();
  const all = ["--server", release.url, "--prefix", join(release.directory, "prefix"), ...args];
  const result = await run(program, [...options, release.script, ...all], {
    input,
    env: { PATH: path, TMPDIR: temporary.path, ...env },
  });
  return { ...result, left: await readdir(temporary.path) };
}

/** A directory for PATH in which some programs say what a test wants; the rest is the system's. */
export async function fakes(
  release: StubRelease,
  programs: Record<string, string>,
): Promise<string> {
  const directory = join(release.directory, "fakes");
  await mkdir(directory);
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(directory, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(directory, name), 0o755);
  }
  return `${directory}:${process.env.PATH}`;
}

/** A PATH with nothing but these programs of the system. */
export async function only(release: StubRelease, programs: readonly string[]): Promise<string> {
  const directory = join(release.directory, "only");
  await mkdir(directory);
  for (const name of programs) {
    const found = ["/usr/bin", "/bin"].map((parent) => join(parent, name)).find(existsSync);
    if (found !== undefined) await symlink(found, join(directory, name));
  }
  return directory;
}

/** Whether the first word is a program of this machine. */
export const isThere = ([program = ""]: readonly string[]) =>
  spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
