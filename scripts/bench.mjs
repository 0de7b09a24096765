// npm run bench: measures everything that has a target, and writes test/bench/results.md.
// Needs Node >= 20 and npm, nothing else; `npm run bench -- tunnel` runs one bench.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt } from "./lib/build.mjs";
import { ensureInstalled, projectNode } from "./lib/install.mjs";
import { projectPath, root } from "./lib/paths.mjs";

await ensureInstalled();
const { node, warning } = projectNode();
if (warning) console.log(warning);
try {
  await ensureBuilt();
} catch (error) {
  console.log(`Benches that need the built agent will be left out: ${error.message}`);
}
const script = join(root, "test", "bench", "main.ts");
const child = spawn(node, [script, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, PATH: projectPath },
});
// Ctrl-C reaches the benches by themselves; this process ends when they have.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
