// Run by `npm test` while other stages run, so that the end-to-end tests find VS Code installed.
import { ensureVsCode } from "./install.ts";

const { version } = await ensureVsCode();
console.log(`VS Code ${version}`);
