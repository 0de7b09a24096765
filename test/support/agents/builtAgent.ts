import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { AgentProgram } from "./agent.ts";

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

/** The forms in which the agent is shipped and runs on this machine; there once `builtAgent` has resolved. */
export const BUILT_AGENTS: readonly { readonly name: string; readonly program: AgentProgram }[] = [
  { name: "as a bundle", program: { command: [process.execPath, `${AGENT_FILES}/agent.cjs`] } },
  // Where Bun does not run, there is no executable.
  ...(existsSync(
    fileURLToPath(new URL("../../../node_modules/@oven/bun-linux-x64", import.meta.url)),
  )
    ? [
        {
          name: "as an executable",
          program: { command: [`${AGENT_FILES}/rport-agent-linux-x64`] },
        } as const,
      ]
    : []),
];
