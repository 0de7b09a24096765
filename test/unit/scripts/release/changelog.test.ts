import { describe, expect, it } from "vitest";
import { textOf } from "../../../support/repository.ts";

const { releasedVersions, releaseNotes, whyNotReleased, withRelease } = await import(
  new URL("../../../../scripts/lib/release/changelog.mjs", import.meta.url).href
);

const TEXT = `# Changelog

Words.

## [Unreleased]

### Added

- Something with ## in it.

## [0.2.0] - 2026-01-02

- Older.
`;

describe("the changelog of a release", () => {
  it("has what was unreleased under the version and its day, and room for what comes", () => {
    const text: string = withRelease(TEXT, { version: "0.3.0", date: "2026-11-30" });
    expect(text).toBe(
      TEXT.replace("## [Unreleased]", "## [Unreleased]\n\n## [0.3.0] - 2026-11-30"),
    );
    expect(releasedVersions(text)).toEqual(["0.3.0", "0.2.0"]);
  });

  it("gives the notes of one version and of no other", () => {
    const text: string = withRelease(TEXT, { version: "0.3.0", date: "2026-11-30" });
    expect(releaseNotes(text, "0.3.0")).toBe(
      "# RPort for VS Code 0.3.0\n\n2026-11-30\n\n### Added\n\n- Something with ## in it.\n",
    );
    expect(releaseNotes(text, "0.2.0")).toContain("- Older.");
    expect(() => releaseNotes(text, "0.1.0")).toThrow('no section "0.1.0"');
  });

  it.each([
    ["0.2.0", TEXT, "has 0.2.0 already"],
    ["0.1.0", TEXT, "0.1.0 is not newer than 0.2.0"],
    ["0.3.0", TEXT.replace("[Unreleased]", "[0.2.5]"), 'no section "Unreleased"'],
    ["0.3.0", withRelease(TEXT, { version: "0.2.9", date: "2026-11-30" }), "is empty"],
  ])("refuses %s where it cannot be told of", (version, text, why) => {
    expect(whyNotReleased(text, version)).toContain(why);
  });

  it("takes a version that is new", () => {
    expect(whyNotReleased(TEXT, "0.2.1")).toBeUndefined();
    expect(whyNotReleased(TEXT.split("## [0.2.0]")[0], "0.2.1")).toBeUndefined();
  });

  it("stays as it is where nothing is unreleased", () => {
    const text = "# Changelog\n\n## 0.2.0 - 2026-01-02\n\n- Older.\n";
    expect(withRelease(text, { version: "0.3.0", date: "2026-11-30" })).toBe(text);
  });

  it.each(["CHANGELOG.md", "extension/CHANGELOG.md"])("is of a form that works: %s", (file) => {
    const text = textOf(file).replace(/^(## \[?Unreleased\]?)$/m, "$1\n\n- Something.");
    const before: readonly string[] = releasedVersions(textOf(file));
    expect(releasedVersions(withRelease(text, { version: "99.0.0", date: "2026-11-30" }))).toEqual([
      "99.0.0",
      ...before,
    ]);
  });
});
