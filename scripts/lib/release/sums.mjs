// The checksums of a release, as `sha256sum --check` reads them.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The name of the file beside the others. */
export const sumsFile = "SHA256SUMS";

const sha256Of = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

/** A line for each file of a folder but the sums themselves, in the order of their names. */
export function sumsOf(folder) {
  const names = readdirSync(folder).filter((name) => name !== sumsFile);
  return names
    .sort()
    .map((name) => `${sha256Of(join(folder, name))}  ${name}\n`)
    .join("");
}
