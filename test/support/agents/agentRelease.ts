import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { VERSION } from "@rport/protocol/version";
import type { AgentSources } from "../../../backend/src/downloads/agentSources.ts";

/** What stands in the manifest of a made-up release. */
export interface FakeRelease {
  readonly directory: string;
  readonly version: string;
  readonly files: readonly {
    readonly name: string;
    readonly size: number;
    readonly sha256: string;
  }[];
}

/** What a made-up release is made of. */
export interface FakeContent {
  /** The agent; a line unless given. */
  readonly agent?: string;
  /** What stands behind the lines of the script. */
  readonly scriptTail?: string;
  /** The targets that it has not. */
  readonly missing?: readonly string[];
  /** Whether it has the script for PowerShell, as npm's has in any case. */
  readonly isForWindows?: boolean;
  /** What it says that its version is; that of the agents here unless given. */
  readonly version?: string;
}

/** A folder that a build made, with nothing installed beside it. */
export function builtIn(directory: string): AgentSources {
  const toBuild = "Run npm run package.";
  return { directory, added: () => undefined, toBuild, toAdd: "npm run package -- --target all" };
}

/** What a script says of the files of its release. */
const LIST = "MANIFEST='node line'\n";

/** Writes a release of one file and a harmless script, in the form that a build writes. */
export async function fakeRelease(
  directory: string,
  {
    agent: agentText = "module.exports = {};\n",
    scriptTail = "",
    missing = ["linux-arm64"],
    isForWindows = false,
    version = VERSION,
  }: FakeContent = {},
): Promise<FakeRelease> {
  await mkdir(directory, { recursive: true });
  const put = async (name: string, text: string) => {
    await writeFile(join(directory, name), text);
    const sha256 = createHash("sha256").update(text).digest("hex");
    return { name, size: Buffer.byteLength(text), sha256 };
  };
  const script = await put("rport-installer.sh", `#!/bin/sh\necho installed\n${LIST}${scriptTail}`);
  const agent = await put("agent.cjs", agentText);
  const files = [{ ...agent, target: "node", packed: [] }];
  const sh = { name: script.name, sha256: script.sha256 };
  const ps1 = isForWindows ? await put("install.ps1", "\n$RportManifest = @'\n\n'@\n") : undefined;
  const manifest = { version, files, scripts: { sh, ps1 }, missing };
  await put("manifest.json", JSON.stringify(manifest));
  return { directory, version, files };
}
