// rport-bridge: the program that carries a connection by way of an editor, as the extension has it.
import { chmodSync, copyFileSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../paths.mjs";
import { writePackageJson } from "./manifest.mjs";

/** The program of this package, in its folder. */
const program = "bin/rport.cjs";

/**
 * Puts the package into a folder; the extension has to be built.
 *
 * @returns {string} the folder
 */
export function writeBridgePackage(folder) {
  const source = join(root, "packaging", "npm");
  cpSync(join(root, "extension", "dist", "bridge"), join(folder, "lib"), { recursive: true });
  mkdirSync(join(folder, "bin"), { recursive: true });
  copyFileSync(join(source, "bridge", "rport.cjs"), join(folder, program));
  chmodSync(join(folder, program), 0o755);
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  copyFileSync(join(source, "rport-bridge.md"), join(folder, "README.md"));
  writePackageJson(folder, {
    name: "rport-bridge",
    description: "Connections to hosts of RPort for VS Code, for ssh and other programs.",
    files: ["bin", "lib"],
    bin: { rport: program },
    engines: { node: ">=22" },
  });
  return folder;
}
