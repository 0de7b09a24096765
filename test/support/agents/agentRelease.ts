import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

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
}

/** Writes a release of one file and a harmless script, in the form that a build writes. */
export async function fakeRelease(
  directory: string,
  { agent: agentText = "module.exports = {};\n", scriptTail = "" }: FakeContent = {},
): Promise<FakeRelease> {
  await mkdir(directory, { recursive: true });
  const put = async (name: string, text: string) => {
    await writeFile(join(directory, name), text);
    const sha256 = createHash("sha256").update(text).digest("hex");
    return { name, size: Buffer.byteLength(text), sha256 };
  };
  const script = await put("rport-installer.sh", `#!/bin/sh\necho installed\n${scriptTail}`);
  const agent = await put("agent.cjs", agentText);
  const files = [{ ...agent, target: "node", packed: [] }];
  const version = "0.0.0-test";
  const scripts = { sh: { name: script.name, sha256: script.sha256 } };
  const manifest = { version, files, scripts, missing: ["linux-arm64"] };
  await put("manifest.json", JSON.stringify(manifest));
  return { directory, version, files };
}
