// npm run check: format, lint, types and unit tests. What to run before every commit.
import { ensureInstalled, projectNode } from "./lib/install.mjs";
import { StageRun } from "./lib/stage.mjs";
import { checkFormat, checkLint, checkTypes, runVitest } from "./lib/tools.mjs";

await ensureInstalled();
const { warning } = projectNode();
if (warning) console.log(warning);

const run = new StageRun({ isStrict: false });
await run.stage("format", checkFormat);
await run.stage("lint", checkLint);
await run.stage("types", checkTypes);
await run.stage("unit", () => runVitest("unit"));
process.exitCode = run.finish() ? 0 : 1;
