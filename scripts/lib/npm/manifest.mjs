// What stands in the package.json of every package that is published.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../paths.mjs";

/** The package.json of the whole project: its version is that of every package. */
export const project = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The package of the agent's executable for a machine. */
export const agentPackageOf = (target) => `rport-agent-${target}`;

/** Writes a package.json; `facts` is what this package has beside what all have. */
export function writePackageJson(folder, { name, description, files, ...facts }) {
  const { version, license, engines } = project;
  const content = { name, version, description, license, engines, files, ...facts };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(content, null, 2)}\n`);
}
