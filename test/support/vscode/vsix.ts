import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

const manifestSchema = z.object({ version: z.string() });

/** Path of the extension under test, packaged as it is shipped; built if its sources changed. */
export async function ensureVsix(): Promise<string> {
  await promisify(execFile)(process.execPath, [join(root, "scripts", "package.mjs")]);
  const text = await readFile(join(root, "package.json"), "utf8");
  const { version } = manifestSchema.parse(JSON.parse(text));
  return join(root, "dist", `rport-${version}.vsix`);
}
