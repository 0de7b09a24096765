import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { VERSION } from "@rport/protocol/version";
import type { AgentSources } from "./downloads/agentSources.ts";

/** A checkout of the sources, the npm package, or a part of the editor's extension. */
export type InstallationKind = "checkout" | "npm" | "editor";

/** How this program came to its machine: what lies around it, and what its users type. */
export interface Installation {
  readonly kind: InstallationKind;
  /** The agent's files for a server with this data directory. */
  readonly agents: (dataDir: string) => AgentSources;
  /** What stands before the flags and commands of this program in a shell. */
  readonly command: string;
}

/** Where the bundle is in the editor's extension. */
const IN_EXTENSION = "/dist/backend/lib/main.mjs";

/**
 * The installation that a main file belongs to. A checkout runs from its sources; the npm package
 * `rport-backend` and the editor's extension have bundles, and whatever else is read beside their folder.
 *
 * @param main the file's `import.meta.url`
 */
export function installationOf(main: string): Installation {
  if (main.endsWith(".ts")) return checkout(main);
  return main.endsWith(IN_EXTENSION) ? extension(main) : npmPackage(main);
}

function checkout(main: string): Installation {
  return {
    kind: "checkout",
    command: "npm start --",
    agents: () => ({
      directory: beside(main, "../../dist/agent"),
      added: () => undefined,
      toBuild: "Run npm run package in the folder of the server's sources, then try again.",
      toAdd: "npm run package -- --target all",
    }),
  };
}

function npmPackage(main: string): Installation {
  return {
    kind: "npm",
    command: "npx rport-backend",
    agents: () => ({
      directory: beside(main, "../agent"),
      added: (target) => folderOf(`rport-agent-${target}`, main),
      toBuild: "The npm package is damaged: install rport-backend again, then try again.",
      toAdd: `npm install rport-agent-NAME@${VERSION} where rport-backend is installed, then a restart`,
    }),
  };
}

/** Executables are no part of the extension; npm puts them into a folder of the server's own. */
function extension(main: string): Installation {
  const asNode = process.versions.electron === undefined ? "" : "ELECTRON_RUN_AS_NODE=1 ";
  return {
    kind: "editor",
    command: `${asNode}"${process.execPath}" "${fileURLToPath(main)}"`,
    agents: (dataDir) => ({
      directory: beside(main, "../agent"),
      added: (target) => existing(join(dataDir, "agents", "node_modules", `rport-agent-${target}`)),
      toBuild:
        "The editor has replaced or removed the extension that this server came with: run RPort: Restart Local Backend... in it, then try again.",
      toAdd: `npm install --prefix "${join(dataDir, "agents")}" rport-agent-NAME@${VERSION}, then RPort: Restart Local Backend... in the editor`,
    }),
  };
}

function existing(folder: string): string | undefined {
  return existsSync(folder) ? folder : undefined;
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
