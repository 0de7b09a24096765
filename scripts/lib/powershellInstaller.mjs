// The installer for Windows: one file that needs nothing else, made of parts that tests load alone.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";

/** What it is served as. */
export const powershellInstallerName = "install.ps1";

const part = (name) => readFileSync(join(root, "installers", "windows", name), "utf8");

/**
 * The text of the installer of a release.
 *
 * @param {string} version
 * @param {readonly string[]} lines of the manifest: per file target, size, SHA-256, name, and perhaps
 *   the name of a copy that is packed with gzip
 */
export function powershellInstaller(version, lines) {
  const manifest = `$RportVersion = '${version}'\n$RportManifest = @'\n${lines.join("\n")}\n'@\n`;
  const body = ["functions.ps1", "owners.ps1", "installation.ps1", "run.ps1"].map(part);
  // In braces: PowerShell runs nothing of a script that was cut off.
  return [part("help.ps1"), ". {\n", [manifest, ...body].join("\n"), "}\n"].join("");
}
