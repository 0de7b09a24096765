// What git knows of a checkout, and what a release adds to it.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.mjs";
import { ReleaseRefused } from "./refused.mjs";

/** The checkout of a repository. */
export class Checkout {
  /** @param {string} folder its top folder */
  constructor(folder) {
    this.folder = folder;
  }

  async #git(args, env = {}) {
    const { code, output } = await run("git", args, { quiet: true, cwd: this.folder, env });
    if (code !== 0) throw new ReleaseRefused(`git ${args[0]} failed:\n${output}`);
    return output.trim();
  }

  /** The commit that is checked out, and its time in seconds since 1970. */
  async head() {
    const [commit, time] = (await this.#git(["log", "-1", "--format=%H %ct"])).split(" ");
    return { commit, timeS: Number(time) };
  }

  /** Everything that is not committed, as git lists it; empty when there is nothing. */
  changes() {
    return this.#git(["status", "--porcelain"]);
  }

  /** The tags of the commit that is checked out. */
  async tagsHere() {
    return (await this.#git(["tag", "--points-at", "HEAD"])).split("\n");
  }

  /** Whether there is such a tag anywhere. */
  async hasTag(tag) {
    return (await this.#git(["tag", "--list", tag])) !== "";
  }

  /** Puts the files of a commit into a folder, as they are committed. */
  async exportTo(folder, commit) {
    mkdirSync(folder, { recursive: true });
    const archive = join(folder, ".export.tar");
    await this.#git(["archive", "--format=tar", `--output=${archive}`, commit]);
    const { code, output } = await run("tar", ["-xf", archive], { quiet: true, cwd: folder });
    rmSync(archive);
    if (code !== 0) throw new ReleaseRefused(`tar failed:\n${output}`);
  }

  /**
   * Commits these files, and tags that. The commit has the time that its artefacts have, so whoever
   * checks out the tag makes the same ones.
   */
  async commitAndTag({ files, version, timeS }) {
    const env = { GIT_COMMITTER_DATE: `${timeS} +0000`, GIT_AUTHOR_DATE: `${timeS} +0000` };
    const message = `Release ${version}`;
    await this.#git(["commit", "--quiet", "--message", message, "--", ...files], env);
    await this.#git(["tag", "--annotate", "--message", message, `v${version}`], env);
  }
}
