// npm run package: the extension's .vsix, and the agent's files that installers fetch. `-- --target all`
// or `-- --target linux-arm64`, which may be repeated, adds executables for other machines; `-- --npm`
// packs the server and each executable that is there for npm.
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { targetsOf } from "./lib/agent/targets.mjs";
import { ensureBuilt, vsixFile } from "./lib/build.mjs";
import { ensureInstalled } from "./lib/install.mjs";
import { ensurePacked } from "./lib/npm/packages.mjs";
import { root } from "./lib/paths.mjs";

const { target: words = [], npm: isForNpm = false } = parseArgs({
  options: { target: { type: "string", multiple: true }, npm: { type: "boolean" } },
}).values;
const asked = targetsOf(words);
await ensureInstalled();
const outcome = await ensureBuilt(asked);
console.log(`${outcome === "built" ? "Built" : "Up to date"}:`);
console.log(`  ${relative(root, vsixFile)}`);
const manifest = join(root, "dist", "agent", "manifest.json");
if (existsSync(manifest)) {
  const { files, scripts, missing } = JSON.parse(readFileSync(manifest, "utf8"));
  for (const { name } of [...files, ...Object.values(scripts)]) console.log(`  dist/agent/${name}`);
  if (missing.length > 0) {
    console.log(`Not built: ${missing.join(", ")}. Add one: npm run package -- --target NAME|all`);
  }
}
if (isForNpm) for (const name of await ensurePacked()) console.log(`  dist/npm/${name}`);
