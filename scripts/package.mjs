// npm run package: the extension's .vsix, and the agent's files that installers fetch.
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ensureBuilt, vsixFile } from "./lib/build.mjs";
import { ensureInstalled } from "./lib/install.mjs";
import { root } from "./lib/paths.mjs";

await ensureInstalled();
const outcome = await ensureBuilt();
console.log(`${outcome === "built" ? "Built" : "Up to date"}:`);
console.log(`  ${relative(root, vsixFile)}`);
const manifest = join(root, "dist", "agent", "manifest.json");
if (existsSync(manifest)) {
  const { files, script } = JSON.parse(readFileSync(manifest, "utf8"));
  for (const { name } of [...files, script]) console.log(`  dist/agent/${name}`);
}
