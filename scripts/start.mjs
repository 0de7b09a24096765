// npm start: from a fresh clone to a running backend, or `npm start -- user ...` and the other commands
// beside one. Needs Node >= 20 and npm, nothing else.
import { ensureBuilt } from "./lib/build.mjs";
import { ensureInstalled, projectNode } from "./lib/install.mjs";
import { follow, serve } from "./lib/serve.mjs";

const args = process.argv.slice(2);
/** What a command prints is often read by a program, and it needs nothing that is built. */
const isCommand = args.length > 0 && !args[0].startsWith("-");

async function prepare() {
  if (isCommand) {
    await ensureInstalled();
    return;
  }
  console.log("Installing what is missing (the first time takes about a minute)...");
  await ensureInstalled();
  const { warning } = projectNode();
  if (warning) console.log(warning);
  console.log("Building the extension and the agent...");
  await ensureBuilt();
}

await prepare();
const child = serve({
  args,
  isTerminal: process.stdout.isTTY === true,
  print: (text) => console.log(text),
});
follow(child);
