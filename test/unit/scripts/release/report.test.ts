import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const { reportOf } = await import(
  new URL("../../../../scripts/lib/release/report.mjs", import.meta.url).href
);

/** The report of a release of this version, as lines. */
async function linesOf(kind: string, version: string, missing: readonly string[] = []) {
  await using temp = await tempDirectory();
  const names = ["rport-agent-x-1.tgz", "rport-backend-1.tgz", "rport-1.vsix", "SHA256SUMS"];
  for (const name of names) await writeFile(join(temp.path, name), "x".repeat(1_500_000));
  const plan = { version, tag: `v${version}` };
  const made = { kind, plan, folder: temp.path, shown: "dist/release/1", missing };
  const text: string = reportOf(made);
  return text.split("\n").map((line) => line.trim());
}

describe("the report of a release", () => {
  it("lists the files, and the steps that are left, agents before the server", async () => {
    const lines = await linesOf("make", "1.2.3");
    expect(lines).toContain("1.5 MB  rport-1.vsix");
    expect(lines.slice(-5)).toEqual([
      "git push origin HEAD v1.2.3",
      "npx vsce publish --packagePath dist/release/1/rport-1.vsix",
      "npm publish dist/release/1/rport-agent-x-1.tgz",
      "npm publish dist/release/1/rport-backend-1.tgz",
      "attach the files of dist/release/1 to the forge's release of v1.2.3, unless its workflow does",
    ]);
  });

  it("keeps a preliminary version from those who did not ask for it", async () => {
    const steps = (await linesOf("make", "1.2.3-beta.1")).slice(-5);
    expect(steps.join("\n")).not.toContain("vsce publish");
    expect(steps.filter((step) => step.startsWith("npm publish --tag next "))).toHaveLength(2);
  });

  it("says of a dry run what is missing, and that nothing was kept", async () => {
    const lines = await linesOf("dry", "1.2.3", ["linux-arm64", "darwin-x64"]);
    expect(lines).toContain(
      "Missing: the agent for linux-arm64, darwin-x64. Add it: --target NAME|all",
    );
    expect(lines.at(-1)).toContain("nothing was committed, tagged or published");
    expect(lines.join("\n")).not.toContain("git push");
  });
});
