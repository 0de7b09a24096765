// Runs the backend, and tells whoever looks at its terminal how to begin.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { vsixFile } from "./build.mjs";
import { projectNode } from "./install.mjs";
import { projectPath, root } from "./paths.mjs";

/** Prints a pairing line though no terminal shows it. */
const printFlag = "--print-pairing";

const main = join(root, "backend", "src", "main.ts");
// A flood of handshakes would leave V8's young space and the C library's arenas large for good.
const { flags, environment } = JSON.parse(
  readFileSync(join(root, "scripts", "lib", "backendProcess.json"), "utf8"),
);

function extensionText() {
  return `
The extension:  code --install-extension ${relative(process.cwd(), vsixFile)}
                then run "RPort: Use Local Backend" in VS Code.`;
}

function pairingText(url, line) {
  return `
Pair a first host (works once, within 10 minutes, on a host that reaches ${url}):

${line}
`;
}

/**
 * Starts the backend with these arguments. A line that pairs a host is made and printed only where
 * somebody reads it: on a terminal, or with `--print-pairing`. A log would keep it while it works.
 *
 * @param {{ args: string[], isTerminal: boolean, print: (text: string) => void }} options
 * @returns {import("node:child_process").ChildProcess}
 */
export function serve({ args, isTerminal, print }) {
  const isWanted = isTerminal || args.includes(printFlag);
  const own = args.filter((arg) => arg !== printFlag);
  const child = spawn(projectNode().node, [...flags, main, ...own], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...environment, ...process.env, PATH: projectPath },
  });
  let url = "";
  child.on("message", ({ listening, firstPairing, failed }) => {
    if (listening) {
      url = listening;
      print(extensionText());
      if (isWanted) child.send("firstPairing");
      else print(`Pair hosts in the editor, or start with ${printFlag}.`);
    }
    if (failed) print(`No pairing: ${failed}`);
    if (firstPairing) print(pairingText(url, firstPairing));
    if (!listening || !isWanted) child.disconnect();
  });
  return child;
}
