import { createHash } from "node:crypto";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { VERSION } from "@rport/protocol/version";
import { realExecutable } from "../installer/realRelease.ts";
import { ROOT } from "../repository.ts";
import { describeFile, scriptText } from "./script.ts";

/** A release that a backend serves. */
export interface WindowsRelease extends AsyncDisposable {
  readonly directory: string;
  /** The script for PowerShell. */
  readonly script: string;
}

const SHELL = "rport-installer.sh";

/**
 * A release whose executable for Windows is the one for Linux: everything on the way to it is real, and
 * it runs on this machine. Nothing in it is packed, which takes a minute.
 */
export async function windowsRelease(): Promise<WindowsRelease> {
  const directory = await mkdtemp(join(tmpdir(), "rport-release-"));
  const program = await realExecutable(directory, "linux-x64");
  const file = await describeFile(directory, basename(program));
  const text = scriptText(VERSION, [file]);
  const script = join(directory, "install.ps1");
  await writeFile(script, text);
  await copyFile(join(ROOT, "installers", SHELL), join(directory, SHELL));
  const { sha256 } = await describeFile(directory, SHELL);
  const ps1 = { name: "install.ps1", sha256: createHash("sha256").update(text).digest("hex") };
  const manifest = {
    version: VERSION,
    scripts: { sh: { name: SHELL, sha256 }, ps1 },
    files: [{ ...file, target: "windows-x64", packed: [] }],
    missing: [],
  };
  await writeFile(join(directory, "manifest.json"), JSON.stringify(manifest));
  return {
    directory,
    script,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
