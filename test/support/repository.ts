import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";

/** The checkout, absolute. */
export const ROOT = resolve(import.meta.dirname, "../..");

/** What is fetched, built, or data for a test: nothing that people write here. */
const FOREIGN = /(^|\/)(node_modules|dist|fixtures|\.git|\.cache)(\/|$)/;

const entries = readdirSync(ROOT, { withFileTypes: true }).filter(
  ({ name }) => !FOREIGN.test(name),
);

/** The folders at the top of the checkout. */
export const FOLDERS = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);

/** All files below a folder of the checkout, relative to the checkout, with forward slashes. */
export function filesBelow(folder: string, ending = ""): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !FOREIGN.test(path));
}

/** Every file that people write in this repository, relative to the checkout. */
export function allFiles(): string[] {
  const atTop = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  return [...atTop, ...FOLDERS.flatMap((folder) => filesBelow(folder))];
}

/** The text of a file of the checkout. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}
