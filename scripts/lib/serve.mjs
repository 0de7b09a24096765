// Runs the backend of this checkout, and tells whoever looks at its terminal how to begin.
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import launcher from "../../packaging/npm/launcher/serve.cjs";
import { vsixFile } from "./build.mjs";
import { projectNode } from "./install.mjs";
import { projectPath, root } from "./paths.mjs";

const main = join(root, "backend", "src", "main.ts");
// A flood of handshakes would leave V8's young space and the C library's arenas large for good. Streams
// leave few objects in it, and in a large one the bytes behind them call for searches of the whole heap.
const { flags, environment } = JSON.parse(
  readFileSync(join(root, "scripts", "lib", "backendProcess.json"), "utf8"),
);

function extensionText() {
  return `
The extension:  code --install-extension ${relative(process.cwd(), vsixFile)}
                then run "RPort: Use Local Backend" in VS Code.`;
}

/**
 * Starts the backend with these arguments. A line that pairs a host is made and printed only where
 * somebody reads it: on a terminal, or with `--print-pairing`. A log would keep it while it works.
 *
 * @param {{ args: string[], isTerminal: boolean, print: (text: string) => void }} options
 * @returns {import("node:child_process").ChildProcess}
 */
export function serve({ args, isTerminal, print }) {
  const env = { ...environment, ...process.env, PATH: projectPath };
  const program = { node: projectNode().node, flags, main, env };
  return launcher.serve(program, { args, isTerminal, greeting: extensionText(), print });
}

/** Passes the signals of this process on to the backend, and ends as it does. */
export function follow(child) {
  launcher.passSignals(child);
  launcher.endLike(child);
}
