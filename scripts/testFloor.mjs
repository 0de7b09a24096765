// npm run test:floor: the end-to-end tests on the oldest VS Code that the extension runs in.
// `npm run test:floor -- test/e2e/filter.test.ts` runs some of them. Needs what those of `npm test` need.
import { ensureBuilt } from "./lib/build.mjs";
import { runOnFloor } from "./lib/floor.mjs";
import { ensureInstalled, projectNode } from "./lib/install.mjs";
import { StageRun } from "./lib/stage.mjs";

await ensureInstalled();
const { warning } = projectNode();
if (warning) console.log(warning);
await ensureBuilt();

const run = new StageRun({ isStrict: false });
await run.stage("e2e on floor", () => runOnFloor(process.argv.slice(2)));
process.exitCode = run.finish() ? 0 : 1;
