import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { nodeOfMachine } from "../../support/nodeOfMachine.ts";

const LIB = fileURLToPath(new URL("../../../scripts/lib", import.meta.url));
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
