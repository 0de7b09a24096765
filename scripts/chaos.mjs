// npm run chaos: a server under 500 agents and 20 editors meets one fault after the other, with a
// verdict for each. `npm run chaos -- --short` is what `npm test` runs; names choose faults, and
// `--seed` repeats a run's choices.
import { runChaos } from "./lib/chaos.mjs";
import { ensureInstalled, projectNode } from "./lib/install.mjs";

await ensureInstalled();
const { warning } = projectNode();
if (warning) console.log(warning);
process.exitCode = await runChaos(process.argv.slice(2));
