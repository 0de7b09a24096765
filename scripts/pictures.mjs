// npm run pictures: takes the pictures of the documents anew, in a real VS Code, by the test that does
// what docs/editor.md tells of a day.
import { copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./lib/command.mjs";
import { ensureInstalled, projectNode } from "./lib/install.mjs";
import { root } from "./lib/paths.mjs";

const PREFIX = "docs-";
const taken = join(root, "test", "e2e", "artifacts");
const images = join(root, "docs", "images");

await ensureInstalled();
const { node, warning } = projectNode();
if (warning) console.log(warning);
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const test = ["run", "--project", "e2e", "test/e2e/day.test.ts"];
const { code } = await run(node, [vitest, ...test], { cwd: root });
process.exitCode = code;
if (code === 0) {
  // a picture that no document shows is for looking at after a run
  const shown = new Set(readdirSync(images));
  for (const name of readdirSync(taken)) {
    const image = name.slice(PREFIX.length);
    if (name.startsWith(PREFIX) && shown.has(image))
      copyFileSync(join(taken, name), join(images, image));
  }
}
