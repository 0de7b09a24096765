// npm run release: everything of a release but its publication; `-- --dry-run` makes the artefacts only.
// RELEASING.md has the steps around it.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { targets } from "./lib/agent/targets.mjs";
import { builtTargets } from "./lib/build.mjs";
import { run } from "./lib/command.mjs";
import { ensureInstalled } from "./lib/install.mjs";
import { root } from "./lib/paths.mjs";
import { optionsOf, usage } from "./lib/release/options.mjs";
import { ReleaseRefused } from "./lib/release/refused.mjs";
import { release } from "./lib/release/release.mjs";

/** Builds everything in the folder of a release, and answers where the npm packages are. */
async function build(staging, wanted) {
  const words = ["--npm", ...wanted.flatMap((target) => ["--target", target])];
  await staging.run(process.execPath, [join("scripts", "package.mjs"), ...words]);
  const folder = staging.path("dist", "npm");
  const names = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  return names.map((name) => join(folder, name));
}

const doors = {
  folder: root,
  print: (text) => console.log(text),
  nowS: () => Math.floor(Date.now() / 1000),
  builtTargets: () => builtTargets().filter((target) => targets.includes(target)),
  build,
  test: async () => (await run(join(root, ".ci", "run"), [])).code === 0,
};

try {
  const options = optionsOf(process.argv.slice(2));
  if (options.kind === "help") console.log(usage);
  else {
    await ensureInstalled();
    await release(options, doors);
  }
} catch (error) {
  if (!(error instanceof ReleaseRefused)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
