// rport-agent-TARGET: one executable of the agent, packed, for servers that offer it to hosts.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyExecutable } from "../agentFiles.mjs";
import { root } from "../paths.mjs";
import { agentPackageOf, writePackageJson } from "./manifest.mjs";

/**
 * Puts the package for a target that is built into a folder. It says nothing of the machine that it
 * may be installed on: that is the server's, whatever the target is.
 *
 * @returns {string} the folder
 */
export function writeAgentPackage(folder, target) {
  mkdirSync(folder, { recursive: true });
  copyExecutable(folder, target);
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  const readme = readFileSync(join(root, "packaging", "npm", "rport-agent.md"), "utf8");
  writeFileSync(join(folder, "README.md"), readme.replaceAll("TARGET", target));
  writePackageJson(folder, {
    name: agentPackageOf(target),
    description: `The agent of RPort for VS Code for ${target}, which rport-backend gives to hosts.`,
    files: ["manifest.json", "rport-agent-*", "THIRD-PARTY-NOTICES.txt"],
  });
  return folder;
}
