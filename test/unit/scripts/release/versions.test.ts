import { VERSION } from "@rport/protocol/version";
import { describe, expect, it } from "vitest";
import { allFiles, textOf } from "../../../support/repository.ts";

const { decidedVersion, isNewer, isVersion, versionsIn, withVersion } = await import(
  new URL("../../../../scripts/lib/release/versions.mjs", import.meta.url).href
);

interface Place {
  readonly file: string;
  readonly version: string | undefined;
}

const places: readonly Place[] = versionsIn(textOf);
const decided: string = decidedVersion(textOf);

/** What people read, or take as it is. */
const PAGES = /\.(md|yml|service|toml|sh|ps1)$|Dockerfile/;

/** A checkout in which some files have other texts. */
const over = (files: ReadonlyMap<string, string>) => (file: string) =>
  files.get(file) ?? textOf(file);

describe("the version", () => {
  it("is the same in every place, as package.json decides", () => {
    expect(places.length).toBeGreaterThan(15);
    expect(places.filter(({ version }) => version !== decided)).toEqual([]);
  });

  it("is what agent and backend print", () => expect(VERSION).toBe(decided));

  it("is looked for in each package of this project", () => {
    const named = new Set(places.map(({ file }) => file));
    const manifests = allFiles().filter((file) => /^(?!test\/)(.*\/)?package\.json$/.test(file));
    expect(manifests.length).toBeGreaterThanOrEqual(6);
    expect(manifests.filter((file) => !named.has(file))).toEqual([]);
  });

  it("stands in no page, unit or script that a release would leave as it is", () => {
    const named = new Set(places.map(({ file }) => file));
    const number = new RegExp(String.raw`(?<![\d.])${decided.replaceAll(".", "\\.")}(?![\d.]*\d)`);
    const read = allFiles().filter(
      (file) => PAGES.test(file) && !/^test\/|CHANGELOG|RELEASING/.test(file) && !named.has(file),
    );
    expect(read.length).toBeGreaterThan(20);
    expect(read.filter((file) => number.test(textOf(file)))).toEqual([]);
  });

  it("is set in all of them at once, and nothing else is", () => {
    const files: Map<string, string> = withVersion(textOf, "7.8.9-beta.1");
    const after: readonly Place[] = versionsIn(over(files));
    expect(after.map(({ file }) => file)).toEqual(places.map(({ file }) => file));
    expect(new Set(after.map(({ version }) => version))).toEqual(new Set(["7.8.9-beta.1"]));
    for (const [file, text] of files) {
      const before = textOf(file).split("\n");
      const changed = text.split("\n").filter((line, at) => line !== before[at]);
      expect(changed.every((line) => line.includes("7.8.9-beta.1"))).toBe(true);
      expect(text.split("\n")).toHaveLength(before.length);
    }
    expect(withVersion(over(files), decided)).toEqual(
      new Map([...files.keys()].map((file) => [file, textOf(file)])),
    );
  });

  it("is found to differ wherever one place was forgotten", () => {
    for (const [file, text] of withVersion(textOf, "7.8.9")) {
      const mixed: readonly Place[] = versionsIn(over(new Map([[file, text]])));
      const versions = new Set(mixed.map(({ version }) => version));
      expect(versions.size, file).toBe(2);
    }
  });

  it("is missed in a place that lost it", () => {
    const text = textOf("README.md").replace(/rport-[\d.]+\.vsix/g, "rport.vsix");
    const found: readonly Place[] = versionsIn(over(new Map([["README.md", text]])));
    expect(found).toContainEqual({ file: "README.md", version: undefined });
  });

  it("has three numbers, and a word for a preliminary one", () => {
    const words = ["1.2.3", "1.2.3-rc.1", "0.10.0"];
    expect(words.filter(isVersion)).toEqual(words);
    const others = ["", "1.2", "v1.2.3", "1.2.3.4", "1.2.3-", "1.2.3 ", "1.2.3\n", "1.2.3;x"];
    expect(others.filter(isVersion)).toEqual([]);
  });

  it.each([
    ["0.2.0", "0.1.9"],
    ["0.10.0", "0.9.0"],
    ["1.0.0", "0.99.99"],
    ["1.0.0", "1.0.0-rc.1"],
    ["1.0.0-rc.10", "1.0.0-rc.9"],
    ["1.0.1-rc.1", "1.0.0"],
  ])("%s comes after %s", (one, other) => {
    expect(isNewer(one, other)).toBe(true);
    expect(isNewer(other, one)).toBe(false);
    expect(isNewer(one, one)).toBe(false);
  });
});
