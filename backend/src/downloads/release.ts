import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readSmallBytes } from "@rport/protocol/local/smallFile";
import { SCRIPT_MAX_BYTES } from "@rport/protocol/pairing/service";
import type { AgentTargets } from "@rport/protocol/serverStatus";
import { type ManifestSignature, signManifest } from "@rport/protocol/wire/manifestSignature";
import type { AddedAgent } from "./addedAgent.ts";
import { LICENCES, type Manifest, manifestSchema } from "./manifest.ts";
import { withLines } from "./scriptLines.ts";

/** Written by a build beside the files it names. */
export const MANIFEST = "manifest.json";
const MANIFEST_MAX_BYTES = 1_048_576;

/** The server's key. */
export type SigningKey = Parameters<typeof signManifest>[1];

/** The installers and the agent's files that belong to them. */
export interface Release {
  readonly manifest: Manifest;
  /** The installer for a shell. */
  readonly script: Buffer;
  /** For which machines there is an agent in its full length. */
  readonly targets: AgentTargets;
  /** The one for PowerShell; undefined where the release has nothing for Windows. */
  readonly powershellScript: Buffer | undefined;
  /** The manifest as it is served, and the signature of exactly these bytes. */
  readonly signed: { readonly text: string; readonly signature: ManifestSignature };
  /** Those of its files that were installed by themselves. */
  readonly added: readonly AddedAgent[];
}

/** What a build has put into a folder. */
export interface Built {
  readonly manifest: Manifest;
  readonly script: Buffer;
  readonly powershellScript: Buffer | undefined;
  /** The files that are there as the manifest says. */
  readonly available: readonly string[];
}

/** Reads a folder. Throws when its manifest or a script is damaged. */
export async function readBuilt(directory: string): Promise<Built> {
  const { bytes: text } = await readSmallBytes(join(directory, MANIFEST), MANIFEST_MAX_BYTES);
  const manifest = manifestSchema.parse(JSON.parse(text.toString()));
  const { sh, ps1 } = manifest.scripts;
  const script = await readScript(directory, sh);
  const powershellScript = ps1 === undefined ? undefined : await readScript(directory, ps1);
  const available = await wholeTargets(directory, manifest);
  return { manifest, script, powershellScript, available };
}

/**
 * A release of what was built and what was added, which the scripts and the manifest then name, too.
 * The script for PowerShell is part of it only where there is something for Windows.
 */
export function releaseOf(built: Built, added: readonly AddedAgent[], key: SigningKey): Release {
  const script = withLines(built.script, "sh", linesFor(added, "sh"));
  const files = [...added.map(({ file }) => file), ...built.manifest.files];
  const hasWindows = files.some(({ target }) => target.startsWith("windows-"));
  const powershellScript =
    built.powershellScript && hasWindows
      ? withLines(built.powershellScript, "ps1", linesFor(added, "ps1"))
      : undefined;
  const { version, scripts, missing } = built.manifest;
  const isAdded = (target: string) => added.some(({ file }) => file.target === target);
  const manifest: Manifest = {
    version,
    scripts: scriptsOf(scripts, { script, powershellScript }),
    files,
    missing: missing.filter((target) => !isAdded(target)),
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  const signature = signManifest(Buffer.from(text), key);
  const targets = targetsOf(manifest, [
    ...added.map(({ file }) => file.target),
    ...built.available,
  ]);
  return { manifest, script, targets, powershellScript, signed: { text, signature }, added };
}

function linesFor(added: readonly AddedAgent[], script: AddedAgent["script"]): string[] {
  return added.filter((one) => one.script === script).map(({ line }) => line);
}

function scriptsOf(
  { sh, ps1 }: Manifest["scripts"],
  { script, powershellScript }: Pick<Release, "script" | "powershellScript">,
): Manifest["scripts"] {
  const shell = { name: sh.name, sha256: sha256Of(script) };
  if (ps1 === undefined || powershellScript === undefined) return { sh: shell };
  return { sh: shell, ps1: { name: ps1.name, sha256: sha256Of(powershellScript) } };
}

/** A file that is not there, or was not written to its end, is missing whatever the manifest says. */
function targetsOf({ files, missing }: Manifest, whole: readonly string[]): AgentTargets {
  const named = files.map(({ target }) => target).filter((target) => target !== LICENCES);
  return {
    available: named.filter((target) => whole.includes(target)),
    missing: [...missing, ...named.filter((target) => !whole.includes(target))],
  };
}

async function wholeTargets(directory: string, { files }: Manifest): Promise<string[]> {
  const sizes = await Promise.all(files.map(({ name }) => sizeOf(join(directory, name))));
  return files.filter(({ size }, at) => sizes[at] === size).map(({ target }) => target);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

async function readScript(
  directory: string,
  { name, sha256 }: Manifest["scripts"]["sh"],
): Promise<Buffer> {
  const { bytes: script } = await readSmallBytes(join(directory, name), SCRIPT_MAX_BYTES);
  if (sha256Of(script) !== sha256) throw new Error(`${name} is not the manifest's`);
  return script;
}

function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
