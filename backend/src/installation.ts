import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { VERSION } from "@rport/protocol/version";
import type { AgentSources } from "./downloads/agentSources.ts";

/** How this program came to its machine: what lies around it, and what its users type. */
export interface Installation {
  readonly agents: AgentSources;
  /** What stands before the flags and commands of this program in a shell. */
  readonly command: string;
}

/**
 * The installation that a main file belongs to. A checkout runs from its sources; the npm package
 * `rport-backend` has bundles, and whatever else it reads beside their folder.
 *
 * @param main the file's `import.meta.url`
 */
export function installationOf(main: string): Installation {
  return main.endsWith(".ts") ? checkout(main) : npmPackage(main);
}

function checkout(main: string): Installation {
  return {
    command: "npm start --",
    agents: {
      directory: beside(main, "../../dist/agent"),
      added: () => undefined,
      toBuild: "Run npm run package in the folder of the server's sources, then try again.",
      toAdd: "npm run package -- --target all",
    },
  };
}

function npmPackage(main: string): Installation {
  return {
    command: "npx rport-backend",
    agents: {
      directory: beside(main, "../agent"),
      added: (target) => folderOf(`rport-agent-${target}`, main),
      toBuild: "The npm package is damaged: install rport-backend again, then try again.",
      toAdd: `npm install rport-agent-NAME@${VERSION} where rport-backend is installed, then a restart`,
    },
  };
}

function beside(main: string, path: string): string {
  return fileURLToPath(new URL(path, main));
}

/** The folder of an npm package, as Node finds it from here; undefined when it is not installed. */
function folderOf(name: string, main: string): string | undefined {
  const { resolve } = createRequire(main);
  try {
    return dirname(resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}
