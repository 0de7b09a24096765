import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What README names. */
const OLDEST = 20;

/** The Node that a machine has by itself, with which a fresh clone is started; undefined: none. */
export function nodeOfMachine(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders
    .filter((folder) => !folder.includes("node_modules"))
    .map((folder) => join(folder, "node"))
    .find((file) => existsSync(file) && nodeMajor(file) >= OLDEST);
}

/** The first number of a Node's version. */
export function nodeMajor(file: string): number {
  return Number.parseInt(execFileSync(file, ["--version"], { encoding: "utf8" }).slice(1), 10);
}
