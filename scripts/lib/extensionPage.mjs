// The page of the extension that the editor shows. An editor shows pictures by https only, and the packer
// makes such addresses once the manifest names the repository: until then a page with them would show holes.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";

const extension = join(root, "extension");
const PICTURE = /!\[[^\]]*\]\(\.\.\/(docs\/images\/[\w-]+\.png)\)\n\n/g;

/** Where the packer finds the page, seen from the extension's folder. */
export const extensionPage = "dist/README.md";

/**
 * The text of the page.
 *
 * @param {string} readme the README of the extension's folder, whose pictures are below ../docs/images
 * @param {string | undefined} repository as the manifest names it
 */
export function pageOf(readme, repository) {
  if (repository === undefined) return readme.replaceAll(PICTURE, "");
  return readme.replaceAll(PICTURE, (line, path) => line.replace(`../${path}`, path));
}

/** Writes it. */
export function writeExtensionPage() {
  const readme = readFileSync(join(extension, "README.md"), "utf8");
  const { repository } = JSON.parse(readFileSync(join(extension, "package.json"), "utf8"));
  mkdirSync(join(extension, "dist"), { recursive: true });
  writeFileSync(join(extension, extensionPage), pageOf(readme, repository));
}
