// rport-backend: the server as bundles, what it reads beside them, and a launcher that any Node reads.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { usualTarget } from "../agent/targets.mjs";
import { copyBundleRelease } from "../agentFiles.mjs";
import { bundle } from "../build.mjs";
import { root } from "../paths.mjs";
import { agentPackageOf, project, writePackageJson } from "./manifest.mjs";

/** The program of this package, in its folder. */
const launcher = "bin/rport-backend.cjs";

/** Where docs/install.md puts a checkout, and where it lets npm install this package. */
const places = [
  ["/opt/rport/node_modules", "/opt/rport-backend/node_modules"],
  ["/opt/rport/backend/src/main.ts", "/opt/rport-backend/node_modules/rport-backend/lib/main.mjs"],
  ["/opt/rport/docs/install.md", "/opt/rport-backend/node_modules/rport-backend/README.md"],
  [
    "a checkout in /opt/rport. docs/install.md says how to set it up.",
    "npm in /opt/rport-backend.",
  ],
];

/** A unit of systemd for a checkout, for what npm has installed. */
function unitForNpm(text) {
  return places.reduce((unit, [from, to]) => {
    if (!unit.includes(from)) throw new Error(`a unit of systemd does not mention ${from}`);
    return unit.replaceAll(from, to);
  }, text);
}

/** Units of systemd, and examples of their configuration. */
function writeServices(folder) {
  const source = join(root, "packaging");
  mkdirSync(join(folder, "systemd"), { recursive: true });
  for (const name of readdirSync(join(source, "systemd"))) {
    const text = readFileSync(join(source, "systemd", name), "utf8");
    writeFileSync(join(folder, "systemd", name), unitForNpm(text));
  }
  for (const name of readdirSync(source).filter((one) => one.endsWith(".toml"))) {
    copyFileSync(join(source, name), join(folder, name));
  }
}

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
  writeServices(join(folder, "packaging"));
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  copyFileSync(join(root, "packaging", "npm", "rport-backend.md"), join(folder, "README.md"));
  writePackageJson(folder, {
    name: "rport-backend",
    description: "The server of RPort for VS Code: reach hosts behind NAT and firewalls.",
    files: ["bin", "lib", "agent", "packaging"],
    bin: { "rport-backend": launcher },
    dependencies: { [agentPackageOf(usualTarget)]: project.version },
    optionalDependencies: nodePackages(),
  });
  return folder;
}
