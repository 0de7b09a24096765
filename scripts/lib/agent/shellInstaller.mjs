// The installer for a shell, as it is served: what stands in installers/, with the files of a release
// in it and without its remarks, because everybody who installs fetches it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../paths.mjs";

/** What it is served as. */
export const shellInstallerName = "rport-installer.sh";

const block = /# BEGIN MANIFEST\n[\s\S]*?# END MANIFEST\n/;
/** The first lines say what this is. */
const HEAD_LINES = 3;

/** The shell installs none of these. */
const isForShell = ({ target }) => !target.startsWith("windows-");

/** How a file is packed, in the words of the script: `xz:39000000`. */
const wordFor = ({ name, size }) => `${name.slice(name.lastIndexOf(".") + 1)}:${size}`;

/** What stands in the script for a file of the manifest. */
export const shellLine = ({ target, size, sha256, name, packed }) =>
  [target, size, sha256, name, ...packed.map(wordFor)].join(" ");

/** Also what only a linter asks for: a case for everything else, in which nothing is done. */
const isRemark = (line, at) => at >= HEAD_LINES && /^\s*(# .*|\*\) ;;)$/.test(line);
const withoutElse = (line) => line.replace(/ \*\) ;; esac/, " esac");

/**
 * No empty lines, and one blank for each level within a function, by which people who inspect it
 * still see what belongs together. What is printed as it is stands as it is, to the line that ends it.
 */
function narrow(lines) {
  let end;
  return lines.flatMap((line) => {
    if (end !== undefined) {
      if (line === end) end = undefined;
      return line;
    }
    if (line === "") return [];
    end = /<<([A-Z]+)$/.exec(line)?.[1];
    return withoutElse(line).replace(/^ +/, ({ length }) => " ".repeat(Math.ceil(length / 2) - 1));
  });
}

/**
 * The text of the installer of a release.
 *
 * @param {string} version
 * @param {readonly object[]} files as the manifest has them
 */
export function shellInstaller(version, files) {
  const template = readFileSync(join(root, "installers", shellInstallerName), "utf8");
  if (!block.test(template)) throw new Error("the installer has no manifest block");
  const lines = files.filter(isForShell).map(shellLine);
  const manifest = `VERSION='${version}'\nMANIFEST='${lines.join("\n")}'\n`;
  const script = template.replace(block, () => manifest);
  const code = script.split("\n").filter((line, at) => !isRemark(line, at));
  return `${narrow(code).join("\n")}\n`;
}
