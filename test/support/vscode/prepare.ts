// Run by `npm test` while other stages run, so that the end-to-end tests find VS Code installed: the one
// that they run on, and with `--floor` also the oldest one that the extension runs in.
import { ensureVsCode, FLOOR_RELEASE } from "./install.ts";

const installed = [await ensureVsCode()];
if (process.argv.includes("--floor")) installed.push(await ensureVsCode(FLOOR_RELEASE));
console.log(`VS Code ${installed.map(({ version }) => version).join(" and ")}`);
