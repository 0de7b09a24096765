// Where a release is built: the files of its commit in a folder of their own, with the release's texts
// in them, so that a dry run changes nothing and nothing that is not committed gets in.
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { run } from "../command.mjs";
import { ReleaseRefused } from "./refused.mjs";

/** What is written to, so it is not shared with the checkout by links. */
const WRITTEN = new Set([".cache", ".rport-lock-hash"]);

function linkFile(from, to) {
  try {
    linkSync(from, to);
  } catch {
    // another file system, or one without links
    copyFileSync(from, to);
  }
}

/** A copy of installed packages that costs no space. Links among packages lead into the copy. */
function linkTree(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (WRITTEN.has(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkFile(source, target);
  }
}

/** What is installed in one checkout is used in another one as well. */
function linkPackages(from, to) {
  const { workspaces } = JSON.parse(readFileSync(join(to, "package.json"), "utf8"));
  for (const workspace of ["", ...workspaces]) {
    const modules = join(workspace, "node_modules");
    if (existsSync(join(from, modules))) linkTree(join(from, modules), join(to, modules));
  }
  const cache = join("node_modules", ".cache");
  for (const folder of [join(from, cache), join(to, "node_modules")]) {
    mkdirSync(folder, { recursive: true });
  }
  symlinkSync(join(from, cache), join(to, cache), "junction");
}

/** The folder that a release is built in; removed at its end. */
export class Staging {
  #checkout;
  #folder;
  #env = {};

  constructor(checkout, folder) {
    this.#checkout = checkout;
    this.#folder = folder;
  }

  /** Lays a commit out. */
  static async open(checkout, commit) {
    const parent = join(checkout.folder, ".cache", "release");
    mkdirSync(parent, { recursive: true });
    const staging = new Staging(checkout, mkdtempSync(join(parent, "build-")));
    try {
      await checkout.exportTo(staging.path(), commit);
    } catch (error) {
      staging.close();
      throw error;
    }
    return staging;
  }

  /** Puts other texts into some of its files, and the packages beside them; from then on it has a time. */
  prepare({ edits, timeS }) {
    for (const [file, text] of edits) writeFileSync(this.path(file), text);
    linkPackages(this.#checkout.folder, this.#folder);
    // what is packed has this time, in this zone
    this.#env = { SOURCE_DATE_EPOCH: String(timeS), TZ: "UTC" };
  }

  /** The path of a file in it. */
  path(...parts) {
    return join(this.#folder, ...parts);
  }

  /** The text of a file in it. */
  read(file) {
    return readFileSync(this.path(file), "utf8");
  }

  /** Runs a program in it, and answers its output; throws `ReleaseRefused` when it fails. */
  async run(program, args, env = {}) {
    const options = { quiet: true, cwd: this.#folder, env: { ...this.#env, ...env } };
    const { code, output } = await run(program, args, options);
    if (code !== 0) throw new ReleaseRefused(`${program} ${args[0]} failed:\n${output}`);
    return output;
  }

  close() {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
