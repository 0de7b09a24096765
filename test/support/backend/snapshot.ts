import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Every file below a directory: its path, mode, time of change, and content in hexadecimal. */
export async function snapshot(directory: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const path of await filesBelow(directory)) {
    const { mode, mtimeMs } = await stat(path);
    const content = await readFile(path, "hex");
    found[path] = `${(mode & 0o7777).toString(8)} ${mtimeMs} ${content}`;
  }
  return found;
}

/** The paths of all files below a directory, in order. */
export async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
