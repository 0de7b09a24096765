import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PACKAGE = fileURLToPath(new URL("../../../scripts/package.mjs", import.meta.url));
const AGENT_FILES = fileURLToPath(new URL("../../../dist/agent", import.meta.url));

/**
 * The directory of the agent's files as they are shipped, which `main.ts` serves; built if the
 * sources have changed. Test files run at the same time: one builds while the others wait.
 */
export async function builtAgent(): Promise<string> {
  await promisify(execFile)("flock", [PACKAGE, process.execPath, PACKAGE]);
  return AGENT_FILES;
}
