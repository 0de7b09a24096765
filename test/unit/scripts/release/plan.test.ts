import { describe, expect, it } from "vitest";
import { textOf } from "../../../support/repository.ts";

const script = (name: string) =>
  import(new URL(`../../../../scripts/lib/release/${name}`, import.meta.url).href);

const { planOf } = await script("plan.mjs");
const { optionsOf } = await script("options.mjs");
const { withVersion } = await script("versions.mjs");
const { withRelease } = await script("changelog.mjs");

/** 2026-11-28, and two days later. */
const HEAD = { commit: "c", timeS: 1_795_824_000 };
const NOW_S = HEAD.timeS + 2 * 86_400;

const CHANGELOGS = new Map([
  ["CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n- Something.\n"],
  ["extension/CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n- Something.\n"],
]);

/** This project, with something to tell of. */
const beforeRelease = (file: string) => CHANGELOGS.get(file) ?? textOf(file);

/** A checkout of this project. */
const checkout = (tags: readonly string[] = [""], read = beforeRelease) => ({
  read,
  head: HEAD,
  tags,
  nowS: NOW_S,
});

/** The texts after a release of 50.0.0. */
function afterRelease(file: string): string {
  const edits: Map<string, string> = withVersion(beforeRelease, "50.0.0");
  const text = edits.get(file) ?? beforeRelease(file);
  const isLog = file.endsWith("CHANGELOG.md");
  return isLog ? withRelease(text, { version: "50.0.0", date: "2026-11-28" }) : text;
}

describe("the command line of a release", () => {
  it.each([
    [["1.2.3"], { kind: "make", version: "1.2.3" }],
    [["1.2.3", "--dry-run"], { kind: "dry", version: "1.2.3" }],
    [["--dry-run"], { kind: "dry", version: undefined }],
    [[], { kind: "remake", version: undefined }],
    [["--help"], { kind: "help" }],
  ])("takes %j", (args, wanted) => expect(optionsOf(args)).toMatchObject(wanted));

  it("has all targets in a release, and those that are asked for in a dry run", () => {
    expect(optionsOf(["1.2.3"]).targets).toHaveLength(8);
    expect(optionsOf([]).targets).toHaveLength(8);
    expect(optionsOf(["--dry-run"]).targets).toEqual([]);
    const some = ["--dry-run", "--target", "windows-x64", "--target", "linux-arm64"];
    expect(optionsOf(some).targets.toSorted()).toEqual(["linux-arm64", "windows-x64"]);
  });

  it.each([
    [["1.2"], "is no version"],
    [["v1.2.3"], "is no version"],
    [["1.2.3", "1.2.4"], "One version"],
    [["1.2.3", "--target", "linux-arm64"], "--target is for --dry-run"],
    [["--dry-run", "--target", "amiga"], 'no target "amiga"'],
    [["--publish"], "--publish"],
  ])("refuses %j", (args, why) => expect(() => optionsOf(args)).toThrow(why));
});

describe("the plan of a release", () => {
  it("sets the version everywhere, and dates both changelogs, at the time it is made", () => {
    const plan = planOf({ kind: "make", version: "50.0.0" }, checkout());
    expect(plan).toMatchObject({ version: "50.0.0", tag: "v50.0.0", timeS: NOW_S });
    expect(plan.edits.get("package.json")).toContain('"version": "50.0.0"');
    expect(plan.edits.get("backend/protocol/src/version.ts")).toContain('VERSION = "50.0.0"');
    expect(plan.edits.get("CHANGELOG.md")).toContain("\n## [50.0.0] - 2026-11-30\n");
    expect(plan.edits.get("extension/CHANGELOG.md")).toBe(
      "# Changelog\n\n## 50.0.0 - 2026-11-30\n\n- Something.\n",
    );
  });

  it("is the same on every day when nothing is to be kept", () => {
    const dry = { kind: "dry", version: "50.0.0" };
    const plan = planOf(dry, checkout());
    expect(plan.timeS).toBe(HEAD.timeS);
    expect(plan.edits.get("CHANGELOG.md")).toContain("\n## [50.0.0] - 2026-11-28\n");
    const later = { ...checkout(), nowS: NOW_S + 86_400 };
    expect(planOf(dry, later)).toEqual(plan);
  });

  it("changes nothing of a commit that is a release, at the time of that commit", () => {
    for (const kind of ["remake", "dry"]) {
      const plan = planOf({ kind }, checkout(["v50.0.0", "x"], afterRelease));
      expect(plan).toEqual({
        version: "50.0.0",
        tag: "v50.0.0",
        timeS: HEAD.timeS,
        edits: new Map(),
      });
    }
  });

  it("needs a tag, or a version", () => {
    expect(() => planOf({ kind: "remake" }, checkout())).toThrow("has no tag v");
    expect(() => planOf({ kind: "dry" }, checkout([""], afterRelease))).toThrow("was released");
    expect(() => planOf({ kind: "make", version: "50.0.0" }, checkout([""], afterRelease))).toThrow(
      "has 50.0.0 already",
    );
    expect(() => planOf({ kind: "make", version: "50.0.1" }, checkout([""], afterRelease))).toThrow(
      "is empty",
    );
  });
});
