// rport-backend: the server as bundles, what it reads beside them, and a launcher that any Node reads.
import { chmodSync, copyFileSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { usualTarget } from "../agent/targets.mjs";
import { copyBundleRelease } from "../agentFiles.mjs";
import { bundle } from "../build.mjs";
import { root } from "../paths.mjs";
import { agentPackageOf, project, writePackageJson } from "./manifest.mjs";

/** The program of this package, in its folder. */
const launcher = "bin/rport-backend.cjs";

/** The Node for machines whose own is too old, in the versions that the project itself has. */
function nodePackages() {
  const entries = Object.entries(project.optionalDependencies);
  return Object.fromEntries(entries.filter(([name]) => name.startsWith("node-")));
}

/**
 * Puts the package into a folder, which has to be dist/npm/rport-backend: there webpack writes.
 *
 * @returns {Promise<string>} the folder
 */
export async function writeBackendPackage(folder) {
  await bundle("backend");
  cpSync(join(root, "packaging", "npm", "launcher"), join(folder, "bin"), { recursive: true });
  chmodSync(join(folder, launcher), 0o755);
  const processFile = join(root, "scripts", "lib", "backendProcess.json");
  copyFileSync(processFile, join(folder, "bin", "backendProcess.json"));
  mkdirSync(join(folder, "agent"), { recursive: true });
  copyBundleRelease(join(folder, "agent"));
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  copyFileSync(join(root, "packaging", "npm", "rport-backend.md"), join(folder, "README.md"));
  writePackageJson(folder, {
    name: "rport-backend",
    description: "The server of RPort for VS Code: reach hosts behind NAT and firewalls.",
    files: ["bin", "lib", "agent"],
    bin: { "rport-backend": launcher },
    dependencies: { [agentPackageOf(usualTarget)]: project.version },
    optionalDependencies: nodePackages(),
  });
  return folder;
}
