// The server inside the editor's extension: its bundles, and the agent that a host's Node runs. There are
// no executables of the agent in it: one alone would be twenty times the extension.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import nodes from "../../packaging/npm/launcher/node.cjs";
import { copyBundleRelease } from "./agentFiles.mjs";
import { root } from "./paths.mjs";

/** Where webpack leaves the bundles, for the npm package, too. */
const bundles = join(root, "dist", "npm", "rport-backend", "lib");
const processFile = join(root, "scripts", "lib", "backendProcess.json");

/** The folder in the extension; the backend knows it by its end (backend/src/installation.ts). */
export const extensionBackend = join(root, "extension", "dist", "backend");

/** Puts the server into the extension. The bundles and the agent's files have to be built. */
export function writeExtensionBackend() {
  rmSync(extensionBackend, { recursive: true, force: true });
  const lib = join(extensionBackend, "lib");
  mkdirSync(lib, { recursive: true });
  for (const name of readdirSync(bundles)) copyFileSync(join(bundles, name), join(lib, name));
  const agent = join(extensionBackend, "agent");
  mkdirSync(agent);
  copyBundleRelease(agent);
  const { flags, environment } = JSON.parse(readFileSync(processFile, "utf8"));
  const { OLDEST: oldestNode } = nodes;
  const text = JSON.stringify({ flags, environment, oldestNode }, null, 2);
  writeFileSync(join(extensionBackend, "process.json"), `${text}\n`);
}
