import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** What an executable that is installed beside the server says of itself; made up. */
export interface AddedContent {
  readonly target: string;
  readonly version: string;
  readonly program: string;
  readonly script?: "sh" | "ps1";
}

const sha256Of = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Writes such an executable into a folder, in the form that its npm package has; answers its line. */
export async function addAgent(
  folder: string,
  { target, version, program, script = "sh" }: AddedContent,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const name = `rport-agent-${target}`;
  const copy = gzipSync(program);
  const gzip = { encoding: "gzip", name: `${name}.gz`, size: copy.length, sha256: sha256Of(copy) };
  const size = Buffer.byteLength(program);
  const file = { target, name, size, sha256: sha256Of(program), packed: [gzip] };
  const line = `${target} ${size} ${file.sha256} ${name} gz:${copy.length}`;
  await writeFile(join(folder, gzip.name), copy);
  await writeFile(join(folder, "manifest.json"), JSON.stringify({ version, file, script, line }));
  return line;
}
