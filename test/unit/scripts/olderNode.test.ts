import { execFile, execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const LIB = fileURLToPath(new URL("../../../scripts/lib", import.meta.url));
/** What README names. */
const OLDEST = 20;

/** The Node that a machine has by itself, with which a fresh clone is started. */
function nodeOfMachine(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders
    .filter((folder) => !folder.includes("node_modules"))
    .map((folder) => join(folder, "node"))
    .find((file) => existsSync(file) && majorOf(file) >= OLDEST);
}

function majorOf(file: string): number {
  return Number.parseInt(execFileSync(file, ["--version"], { encoding: "utf8" }).slice(1), 10);
}

const node = nodeOfMachine();
const modules = ["", "agent", "npm"].flatMap((folder) =>
  readdirSync(join(LIB, folder))
    .filter((name) => name.endsWith(".mjs"))
    .map((name) => join(folder, name)),
);

it.skipIf(node === undefined).each(modules)(
  "scripts/lib/%s loads in the Node of the machine, before there is the project's own",
  async (name) => {
    const program = `await import(${JSON.stringify(join(LIB, name))})`;
    const args = ["--input-type=module", "--eval", program];
    const { stderr } = await promisify(execFile)(node ?? "", args);
    expect(stderr).toBe("");
  },
);
