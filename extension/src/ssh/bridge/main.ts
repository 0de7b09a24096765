import { createWriteStream } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";
import { systemClock } from "../../support/clock.ts";
import { storagesOfEditors, thisComputer } from "./editors.ts";
import { runBridge } from "./program.ts";

const OUTPUT = 1;

/** Ends where the connection does, which the usual one does not: whoever reads it waits for that. */
function openOutput(): Writable {
  try {
    return new Socket({ fd: OUTPUT, readable: false, writable: true });
  } catch {
    // a file
    return createWriteStream("", { fd: OUTPUT });
  }
}

const storage = process.env.RPORT_STORAGE ?? "";

void runBridge({
  args: process.argv.slice(2),
  storages: async () => (storage === "" ? storagesOfEditors(thisComputer()) : [storage]),
  command: process.env.RPORT_COMMAND ?? "rport",
  clock: systemClock,
  input: process.stdin,
  output: openOutput(),
  say: (sentence) => void process.stderr.write(`rport: ${sentence}\n`),
}).then((code) => process.exit(code));
