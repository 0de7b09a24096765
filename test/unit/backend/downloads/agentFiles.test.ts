import { appendFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { serverKeyFromSeed } from "@rport/protocol/wire/serverKey";
import { describe, expect, it } from "vitest";
import { AgentFiles } from "../../../../backend/src/downloads/agentFiles.ts";
import { builtIn, fakeRelease } from "../../../support/agents/agentRelease.ts";
import { testLog } from "../../../support/log.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const KEY = serverKeyFromSeed("a seed of thirty-two characters!");

const manifestWith = (script: string) =>
  `{ "version": "1", "files": [], "missing": [], "scripts": { "sh": ${script} } }`;

async function withRelease() {
  const temp = await tempDirectory();
  const release = await fakeRelease(temp.path);
  const { log, lines } = testLog();
  return { temp, release, lines, files: new AgentFiles(builtIn(temp.path), KEY, log) };
}

describe("the agent's files", () => {
  it("are unavailable, with the way to build them, until there is a manifest", async () => {
    await using temp = await tempDirectory();
    const files = new AgentFiles(builtIn(temp.path), KEY, testLog().log);
    await expect(files.require()).rejects.toMatchObject({
      code: "UNAVAILABLE",
      detail: expect.stringContaining("npm run package"),
    });
    await fakeRelease(temp.path);
    expect((await files.require()).script.toString()).toContain("echo installed");
  });

  it("are given by version and name, with the size and hash of the manifest", async () => {
    const { temp, release, files } = await withRelease();
    await using _ = temp;
    const [wanted] = release.files;
    const found = await files.find(release.version, "agent.cjs");
    expect(found).toMatchObject({ size: wanted?.size, sha256: wanted?.sha256 });
    expect(found && (await text(found.pieces(0, found.size)))).toBe("module.exports = {};\n");
    expect(found && (await text(found.pieces(7, 14)))).toBe("exports");
    expect(await files.find("9.9.9", "agent.cjs")).toBeUndefined();
    expect(await files.find(release.version, "manifest.json")).toBeUndefined();
    expect(await files.find(release.version, "../agent.cjs")).toBeUndefined();
  });

  it("say for which machines there is none, and how to add it", async () => {
    const { temp, lines, files } = await withRelease();
    await using _ = temp;
    expect(files.targets).toEqual({ available: [], missing: [] });
    await files.current();
    expect(files.targets).toEqual({ available: ["node"], missing: ["linux-arm64"] });
    const told = lines.filter((line) => line.includes("linux-arm64"));
    expect(told).toEqual([expect.stringContaining("npm run package -- --target all")]);
  });

  it("are not offered for a machine whose file is cut short or gone", async () => {
    await using temp = await tempDirectory();
    await fakeRelease(temp.path);
    await appendFile(join(temp.path, "agent.cjs"), "more");
    const files = new AgentFiles(builtIn(temp.path), KEY, testLog().log);
    await files.current();
    expect(files.targets).toEqual({ available: [], missing: ["linux-arm64", "node"] });
  });

  it("are refused when the script is not the one of the manifest", async () => {
    const { temp, lines, files } = await withRelease();
    await using _ = temp;
    await appendFile(join(temp.path, "rport-installer.sh"), "echo more\n");
    expect(await files.current()).toBeUndefined();
    expect(lines.join("\n")).toContain("rport-installer.sh is not the manifest's");
  });

  it("are not sent when one is not of the manifest's size", async () => {
    const { temp, release, files } = await withRelease();
    await using _ = temp;
    await appendFile(join(temp.path, "agent.cjs"), "more");
    await expect(files.find(release.version, "agent.cjs")).rejects.toThrow("agent.cjs");
  });

  it.each([
    ["is no JSON", "{"],
    ["names a file outside", manifestWith(`{ "name": "../x", "sha256": "${"0".repeat(64)}" }`)],
    ["is one of an older release", '{"version":"1","files":[],"script":{"name":"x","sha256":""}}'],
  ])("are refused when the manifest %s", async (_name, manifest) => {
    const { temp, files } = await withRelease();
    await using _ = temp;
    await writeFile(join(temp.path, "manifest.json"), manifest);
    expect(await files.current()).toBeUndefined();
  });

  it("follow a build that is made or removed while the server runs", async () => {
    const { temp, files } = await withRelease();
    await using _ = temp;
    const before = await files.current();
    expect(await files.current()).toBe(before);
    await rm(join(temp.path, "manifest.json"));
    expect(await files.current()).toBeUndefined();
    await fakeRelease(temp.path);
    expect(await files.current()).toBeDefined();
  });
});
