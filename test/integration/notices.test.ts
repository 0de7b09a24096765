import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { VERSION } from "@rport/protocol/version";
import { describe, expect, it } from "vitest";
import { builtAgent } from "../support/agents/builtAgent.ts";
import { spawnBackend } from "../support/backend/spawnBackend.ts";
import { ROOT } from "../support/repository.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

const NOTICES = "THIRD-PARTY-NOTICES.txt";

describe("what is shipped", () => {
  it("S-30: has the licences of the packages in it beside the agent, and serves them with it", async () => {
    const directory = await builtAgent();
    const text = await readFile(join(directory, NOTICES), "utf8");
    const packages = [...text.matchAll(/^-{80}\n(\S+) \S+ \(\S+\)$/gm)].map(([, name]) => name);
    expect(packages).toEqual(expect.arrayContaining(["ssh2", "smol-toml", "ws", "zod"]));
    expect(packages).not.toContain("express");
    if (process.platform === "linux") expect(text).toContain("JavaScriptCore");

    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path);
    for (const name of [NOTICES, "agent.cjs.LICENSE.txt"]) {
      const answer = await fetch(`${backend.endpoint.url}/agent/${VERSION}/${name}`);
      expect(await answer.text()).toBe(await readFile(join(directory, name), "utf8"));
    }
  });

  it("S-30: has the licences of the packages in it inside the extension", async () => {
    await builtAgent();
    const cwd = join(ROOT, "extension");
    const vsce = join(ROOT, "node_modules/@vscode/vsce/vsce");
    const words = [vsce, "ls", "--no-dependencies"];
    const { stdout } = await promisify(execFile)(process.execPath, words, { cwd });
    const file = `dist/${NOTICES}`;
    expect(stdout.split("\n")).toContain(file);
    const text = await readFile(join(cwd, file), "utf8");
    expect(text).toMatch(/^zod \S+ \(MIT\)$/m);
    expect(text).toMatch(/^ws \S+ \(MIT\)$/m);
    expect(text).toContain("Permission is hereby granted");
  });
});
