import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { STUB_VERSION, type StubRelease } from "../installer/stubRelease.ts";
import { ROOT } from "../repository.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { runScript } from "./engine.ts";

const { powershellInstaller } = await import(
  new URL("../../../scripts/lib/powershellInstaller.mjs", import.meta.url).href
);

/** The parts of the script, relative to the checkout. */
export const PARTS = ["help.ps1", "functions.ps1", "owners.ps1", "installation.ps1", "run.ps1"].map(
  (name) => `installers/windows/${name}`,
);

/** A file that a script is made for: what stands in the manifest for Windows on x64. */
export interface ManifestFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

/** The text of a script as a build makes it. */
export function scriptText(version: string, files: readonly ManifestFile[]): string {
  const lines = files.map(({ name, size, sha256 }) => `windows-x64 ${size} ${sha256} ${name}`);
  return powershellInstaller(version, lines);
}

/** What the manifest says of a file on disk. */
export async function describeFile(directory: string, name: string): Promise<ManifestFile> {
  const path = join(directory, name);
  const sha256 = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  return { name, size: (await stat(path)).size, sha256 };
}

/** Writes the script that installs what a stub release serves; the answer is its path. */
export async function stubScript(release: StubRelease): Promise<string> {
  const files = [...release.served].map(([name, content = Buffer.of()]) => ({
    name,
    size: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  }));
  const script = join(release.directory, "install.ps1");
  await writeFile(script, scriptText(STUB_VERSION, files));
  return script;
}

/** What makes this machine look like one of Windows to the script. */
export const windowsLook = (directory: string) => ({
  PROCESSOR_ARCHITECTURE: "AMD64",
  ProgramFiles: join(directory, "Program Files"),
  ProgramData: join(directory, "ProgramData"),
});

/** Runs the script of a stub release into a prefix; `left` is what it leaves behind elsewhere. */
export async function runStub(
  release: StubRelease,
  args: readonly string[],
  { input = "", env = {} }: { input?: string; env?: Record<string, string> } = {},
) {
  await using temporary = await tempDirectory();
  const all = ["-Server", release.url, "-Prefix", join(release.directory, "prefix"), ...args];
  const result = await runScript(await stubScript(release), all, {
    input,
    env: { ...windowsLook(release.directory), TMPDIR: temporary.path, ...env },
  });
  const left = (await readdir(temporary.path)).filter((name) => name.startsWith("rport"));
  return { ...result, left };
}

/** The text of a part. */
export const partText = (path: string) => readFile(join(ROOT, path), "utf8");
